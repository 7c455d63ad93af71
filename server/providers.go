package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"agentserver/core"
)

type providerNames struct {
	Providers []string `json:"providers"`
}

type providerConstants struct {
	Names map[string]string `json:"PROVIDER_NAMES"`
}

type providerExample struct {
	Provider string `json:"provider"`
}

// providerRoutes adds what clients ask about the providers that are in use.
func (a *API) providerRoutes() {
	tags := []string{"v1", "integrations"}
	names, system := providersOf(a.platform.Registry)

	type listAnswer struct{ Body []string }
	route(a, operation{
		id: "getV1ListProviders", method: http.MethodGet, path: "/api/integrations/providers", summary: "List providers", tags: tags, access: anyone,
	}, func(context.Context, *struct{}) (*listAnswer, error) { return &listAnswer{names}, nil })
	route(a, operation{
		id: "getV1ListSystemProviders", method: http.MethodGet, path: "/api/integrations/providers/system",
		summary: "List system providers", tags: tags, access: anyone,
	}, func(context.Context, *struct{}) (*listAnswer, error) { return &listAnswer{system}, nil })

	type namesAnswer struct{ Body providerNames }
	route(a, operation{
		id: "getV1GetProviderNames", method: http.MethodGet, path: "/api/integrations/providers/names", summary: "Get provider names", tags: tags, access: anyone,
	}, func(context.Context, *struct{}) (*namesAnswer, error) { return &namesAnswer{providerNames{names}}, nil })

	type constantsAnswer struct{ Body providerConstants }
	constants := map[string]string{}
	for _, name := range names {
		constants[strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = name
	}
	route(a, operation{
		id: "getV1GetProviderConstants", method: http.MethodGet, path: "/api/integrations/providers/constants",
		summary: "Get provider constants", tags: tags, access: anyone,
	}, func(context.Context, *struct{}) (*constantsAnswer, error) {
		return &constantsAnswer{providerConstants{constants}}, nil
	})

	type exampleAnswer struct{ Body providerExample }
	route(a, operation{
		id: "getV1GetProviderEnumExample", method: http.MethodGet, path: "/api/integrations/providers/enum-example",
		summary: "Get provider enum example", tags: tags, access: anyone,
	}, func(context.Context, *struct{}) (*exampleAnswer, error) {
		if len(names) == 0 {
			return nil, core.PlainErrorf(core.NotFound, "No providers are in use")
		}
		return &exampleAnswer{providerExample{names[0]}}, nil
	})
}

// providersOf names the providers that are in use, and those whose credentials
// the operator can pay for, here or elsewhere, in order.
func providersOf(registry *core.Registry) (names, system []string) {
	names, system = []string{}, core.SystemProviders()
	for _, p := range registry.Providers() {
		if p.Name == core.CoreProvider {
			continue
		}
		names = append(names, p.Name)
		if len(p.System) > 0 {
			system = append(system, p.Name)
		}
	}
	slices.Sort(names)
	slices.Sort(system)
	return names, slices.Compact(system)
}
