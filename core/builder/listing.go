package builder

import (
	"slices"
	"strings"

	"agentserver/core"
	"agentserver/core/execution"
)

// MaxPageSize is how many items a page can have.
const MaxPageSize = 500

// Category is a category with its first blocks.
type Category struct {
	Name        string   `json:"name"`
	TotalBlocks int      `json:"total_blocks"`
	Blocks      []*Block `json:"blocks"`
}

// Provider is a provider that blocks take credentials of.
type Provider struct {
	Name             string `json:"name"`
	Description      string `json:"description"`
	IntegrationCount int    `json:"integration_count"`
}

// BlockPage is a page of blocks.
type BlockPage struct {
	Blocks     []*Block             `json:"blocks"`
	Pagination execution.Pagination `json:"pagination"`
}

// ProviderPage is a page of providers.
type ProviderPage struct {
	Providers  []Provider           `json:"providers"`
	Pagination execution.Pagination `json:"pagination"`
}

// Selection says which blocks are asked for: those of a category, of a kind or
// of a provider, or all of them.
type Selection struct {
	Category, Provider string
	Kind               Kind
}

// List gives the JSON of all blocks that can be used. It must not be changed.
func (s *Service) List() ([]byte, error) {
	x, err := s.index()
	if err != nil {
		return nil, err
	}
	return x.list, nil
}

// Categories gives the categories by name, each with its first few blocks.
func (s *Service) Categories(blocksPerCategory int) ([]Category, error) {
	x, err := s.index()
	if err != nil {
		return nil, err
	}
	list := make([]Category, len(x.categories))
	for i, name := range x.categories {
		blocks := x.selected(Selection{Category: name})
		list[i] = Category{Name: name, TotalBlocks: len(blocks), Blocks: blocks[:min(len(blocks), max(blocksPerCategory, 0))]}
	}
	return list, nil
}

// Blocks gives a page of the blocks of a selection.
func (s *Service) Blocks(sel Selection, page, size int) (*BlockPage, error) {
	given := 0
	for _, value := range []string{sel.Category, string(sel.Kind), sel.Provider} {
		if value != "" {
			given++
		}
	}
	if given > 1 {
		return nil, core.PlainErrorf(core.Invalid, "Only one of category, type, or provider can be specified")
	}
	x, err := s.index()
	if err != nil {
		return nil, err
	}
	blocks, pagination := paged(x.selected(sel), page, size)
	return &BlockPage{blocks, pagination}, nil
}

func (x *index) selected(sel Selection) []*Block {
	category := strings.ToLower(sel.Category)
	blocks := []*Block{}
	for _, b := range x.listed {
		switch {
		case category != "" && !slices.Contains(b.categories, category):
		case sel.Kind != "" && sel.Kind != All && sel.Kind != b.kind:
		case sel.Provider != "" && !slices.Contains(b.providers, sel.Provider) && !slices.Contains(b.filePickers, sel.Provider):
		default:
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// ByID gives blocks in the order of the ids, as often as each is named, also
// those that cannot be used. Ids of no block are left out.
func (s *Service) ByID(ids []string) ([]*Block, error) {
	x, err := s.index()
	if err != nil {
		return nil, err
	}
	blocks := []*Block{}
	for _, id := range ids {
		if b, known := x.byID[id]; known {
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

// Providers gives a page of the providers, each with the number of credentials
// inputs that take it, in the order of the blocks.
func (s *Service) Providers(page, size int) (*ProviderPage, error) {
	x, err := s.index()
	if err != nil {
		return nil, err
	}
	providers, pagination := paged(x.providers, page, size)
	return &ProviderPage{providers, pagination}, nil
}

// paged gives a page of a list, and says where it stands. Pages count from 1;
// one after the last is empty.
func paged[T any](list []T, page, size int) ([]T, execution.Pagination) {
	page, size = max(page, 1), min(max(size, 1), MaxPageSize)
	pages := (len(list) + size - 1) / size
	p := execution.Pagination{TotalItems: len(list), TotalPages: pages, CurrentPage: page, PageSize: size}
	if page > pages {
		return []T{}, p
	}
	start := (page - 1) * size
	return list[start:min(start+size, len(list))], p
}
