package server

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"agentserver/core/builder"
	"agentserver/core/library"
)

// builderItem describes what searches find.
type builderItem struct{}

// Schema offers the kinds of items.
func (builderItem) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[builder.BlockInfo](), true, ""), r.Schema(reflect.TypeFor[library.Agent](), true, ""),
		r.Schema(reflect.TypeFor[builder.StoreAgent](), true, ""),
	}}
}

// builderRoutes adds /api/builder, the menu in which people pick what to draw.
func (a *API) builderRoutes() {
	menu := a.platform.Builder
	tags := []string{"v2"}
	schemas := a.huma.OpenAPI().Components.Schemas
	schemas.RegisterTypeAlias(reflect.TypeFor[builder.Block](), reflect.TypeFor[builder.BlockInfo]())
	schemas.RegisterTypeAlias(reflect.TypeFor[builder.Item](), reflect.TypeFor[builderItem]())

	type suggestionsAnswer struct{ Body *builder.Suggestions }
	route(a, operation{
		id: "getV2Get builder suggestions", method: http.MethodGet, path: "/api/builder/suggestions", summary: "Get builder suggestions", tags: tags,
	}, func(ctx context.Context, _ *struct{}) (*suggestionsAnswer, error) {
		suggestions, err := menu.Suggestions(ctx, UserID(ctx))
		return &suggestionsAnswer{suggestions}, err
	})

	type categoriesRequest struct {
		BlocksPerCategory int `query:"blocks_per_category" minimum:"0" maximum:"500" default:"3"`
	}
	type categoriesAnswer struct{ Body []builder.Category }
	route(a, operation{
		id: "getV2Get builder block categories", method: http.MethodGet, path: "/api/builder/categories", summary: "Get builder block categories", tags: tags,
	}, func(_ context.Context, in *categoriesRequest) (*categoriesAnswer, error) {
		categories, err := menu.Categories(in.BlocksPerCategory)
		return &categoriesAnswer{categories}, err
	})

	type blocksRequest struct {
		Category string       `query:"category"`
		Type     builder.Kind `query:"type" enum:"all,input,action,output"`
		Provider string       `query:"provider"`
		Paging
	}
	type blocksAnswer struct{ Body *builder.BlockPage }
	route(a, operation{
		id: "getV2Get builder blocks", method: http.MethodGet, path: "/api/builder/blocks", summary: "Get builder blocks", tags: tags,
	}, func(_ context.Context, in *blocksRequest) (*blocksAnswer, error) {
		page, err := menu.Blocks(builder.Selection{Category: in.Category, Kind: in.Type, Provider: in.Provider}, in.Page, in.PageSize)
		return &blocksAnswer{page}, err
	})

	type batchRequest struct {
		BlockIDs []string `query:"block_ids,explode" required:"true" maxItems:"1000" doc:"Ids of blocks, each as a parameter of its own"`
	}
	type batchAnswer struct{ Body []*builder.Block }
	route(a, operation{
		id: "getV2Get specific blocks", method: http.MethodGet, path: "/api/builder/blocks/batch", summary: "Get specific blocks", tags: tags,
	}, func(_ context.Context, in *batchRequest) (*batchAnswer, error) {
		blocks, err := menu.ByID(in.BlockIDs)
		return &batchAnswer{blocks}, err
	})

	type providersAnswer struct{ Body *builder.ProviderPage }
	route(a, operation{
		id: "getV2Get builder integration providers", method: http.MethodGet, path: "/api/builder/providers",
		summary: "Get builder integration providers", tags: tags,
	}, func(_ context.Context, in *Paging) (*providersAnswer, error) {
		page, err := menu.Providers(in.Page, in.PageSize)
		return &providersAnswer{page}, err
	})

	type searchRequest struct {
		SearchQuery string   `query:"search_query"`
		Filter      string   `query:"filter" maxLength:"200" doc:"What to look for, separated by commas: blocks, integrations, marketplace_agents, my_agents"`
		SearchID    string   `query:"search_id" doc:"The search that this one goes on with"`
		ByCreator   []string `query:"by_creator,explode" doc:"Only agents of the marketplace by these creators"`
		Paging
	}
	type searchAnswer struct{ Body *builder.Results }
	route(a, operation{
		id: "getV2Builder search", method: http.MethodGet, path: "/api/builder/search", summary: "Builder search", tags: []string{"v2", "store", "private"},
	}, func(ctx context.Context, in *searchRequest) (*searchAnswer, error) {
		results, err := menu.Search(ctx, UserID(ctx), builder.Query{
			Text: in.SearchQuery, Filters: commaList(in.Filter), Creators: commaList(in.ByCreator...), SearchID: in.SearchID,
			Page: in.Page, Size: in.PageSize,
		})
		return &searchAnswer{results}, err
	})

	type countsAnswer struct{ Body *builder.Counts }
	route(a, operation{
		id: "getV2Get builder item counts", method: http.MethodGet, path: "/api/builder/counts", summary: "Get builder item counts", tags: tags,
	}, func(ctx context.Context, _ *struct{}) (*countsAnswer, error) {
		counts, err := menu.Counts(ctx, UserID(ctx))
		return &countsAnswer{counts}, err
	})
}

// Paging asks for a page of the menu.
type Paging struct {
	Page     int `query:"page" minimum:"1" default:"1"`
	PageSize int `query:"page_size" minimum:"1" maximum:"500" default:"50"`
}

// commaList parts texts at their commas, without blanks and what is named again:
// clients send lists as one parameter or as several.
func commaList(texts ...string) []string {
	var list []string
	seen := map[string]bool{}
	for _, text := range texts {
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" && !seen[part] {
				seen[part] = true
				list = append(list, part)
			}
		}
	}
	return list
}
