package builder

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"agentserver/core"
	"agentserver/core/graph"
)

// Block is a block of the lists; as JSON it is its [BlockInfo].
type Block struct {
	ID string

	json []byte
	kind Kind
	ui   core.UIType
	// categories are in small letters, sorted.
	categories []string
	// providers are those of the credentials inputs, one for each input, and
	// filePickers those of files that bring credentials along.
	providers, filePickers []string
	integration            bool

	// What searches compare: the name with its words apart, the description with
	// those of the inputs, and the models to choose from, see squash. All are in
	// small letters.
	name, text, models string
}

// MarshalJSON gives what was encoded once.
func (b *Block) MarshalJSON() ([]byte, error) { return b.json, nil }

// Kind parts blocks by their place in an agent.
type Kind string

// The kinds, as clients name them; All stands for each of them.
const (
	All    Kind = "all"
	Input  Kind = "input"
	Action Kind = "action"
	Output Kind = "output"
)

func kindOf(ui core.UIType) Kind {
	switch ui {
	case core.UIInput:
		return Input
	case core.UIOutput:
		return Output
	}
	return Action
}

// index holds the blocks of a registry.
type index struct {
	// list is the JSON of the blocks that can be used. Theirs are parts of it.
	list []byte
	// byID has every block, also those that cannot be used.
	byID map[string]*Block
	// listed are the blocks that people can pick, in the order of the registry:
	// those that can be used, except for the one that runs an agent, which clients
	// offer for each agent.
	listed []*Block
	// categories are the names of those that listed blocks have, sorted.
	categories []string
	providers  []Provider
}

func newIndex(registry *core.Registry) (*index, error) {
	x := &index{byID: map[string]*Block{}}
	var list bytes.Buffer
	list.WriteByte('[')
	type part struct {
		block      *Block
		start, end int
	}
	var parts []part
	for _, b := range registry.Blocks() {
		spec := b.Spec()
		data, err := core.JSON(Describe(registry, spec))
		if err != nil {
			return nil, fmt.Errorf("encoding block %s: %w", spec.Name, err)
		}
		block := newBlock(spec)
		x.byID[spec.ID] = block
		if registry.Disabled(b) != "" {
			block.json = data
			continue
		}
		if len(parts) > 0 {
			list.WriteByte(',')
		}
		start := list.Len()
		list.Write(data)
		parts = append(parts, part{block, start, list.Len()})
		if spec.ID != graph.AgentBlockID {
			x.listed = append(x.listed, block)
		}
	}
	list.WriteByte(']')
	x.list = list.Bytes()
	for _, p := range parts {
		p.block.json = x.list[p.start:p.end:p.end]
	}
	x.summarize()
	return x, nil
}

// summarize lists the categories and providers of the listed blocks.
func (x *index) summarize() {
	at := map[string]int{}
	for _, b := range x.listed {
		x.categories = append(x.categories, b.categories...)
		for _, name := range b.providers {
			if _, known := at[name]; !known {
				at[name] = len(x.providers)
				x.providers = append(x.providers, Provider{Name: name})
			}
			x.providers[at[name]].IntegrationCount++
		}
	}
	slices.Sort(x.categories)
	x.categories = slices.Compact(x.categories)
}

func newBlock(spec *core.BlockSpec) *Block {
	b := &Block{ID: spec.ID, kind: kindOf(spec.UI), ui: spec.UI, name: strings.ToLower(SplitCamel(spec.Name))}
	for _, c := range spec.Categories {
		b.categories = append(b.categories, strings.ToLower(string(c)))
	}
	slices.Sort(b.categories)
	b.categories = slices.Compact(b.categories)
	texts := []string{spec.Description}
	for _, f := range spec.Fields() {
		if f.Credentials != nil {
			b.integration = true
			b.providers = append(b.providers, f.Credentials.Providers...)
		}
		if auto := f.Schema.Object("auto_credentials"); auto != nil {
			b.filePickers = append(b.filePickers, auto.Text("provider"))
		}
		if description := f.Schema.Text("description"); description != "" {
			texts = append(texts, f.Name+": "+description)
		}
		b.models += modelsOf(f)
	}
	b.text = cut(strings.ToLower(strings.Join(texts, " ")))
	return b
}

// modelsOf gives the language models that an input lets people choose from, by
// their names on the wire and by their titles.
func modelsOf(f *core.InputField) string {
	if isModel, _ := f.Schema.Get("llm_model"); isModel != true {
		return ""
	}
	shown := f.Schema.Object("llm_model_metadata")
	var names []string
	for _, name := range shown.Keys() {
		names = append(names, squash(strings.ToLower(name)), squash(strings.ToLower(shown.Object(name).Text("title"))))
	}
	return strings.Join(names, "\n") + "\n"
}

// squash leaves only letters and digits, so that a model is found as gpt-5, as
// GPT 5 and as gpt5.
func squash(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, text)
}
