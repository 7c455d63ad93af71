package server

import (
	"context"
	"net/http"

	"agentserver/core/graph"
)

type createGraphBody struct {
	Graph  graph.Graph `json:"graph" required:"true"`
	Source *string     `json:"source" enum:"builder,upload"`
}

type activeVersionBody struct {
	ActiveGraphVersion int `json:"active_graph_version" required:"true"`
}

type deletedGraph struct {
	VersionCounts int `json:"version_counts"`
}

// graphRoutes adds /api/graphs but for what is about runs.
func (a *API) graphRoutes() {
	graphs := a.platform.Graphs
	tags := []string{"v1", "graphs"}

	type modelAnswer struct{ Body *graph.Model }
	type listAnswer struct{ Body []graph.Meta }
	route(a, operation{
		id: "getV1List user graphs", method: http.MethodGet, path: "/api/graphs", summary: "List user graphs", tags: tags,
	}, func(ctx context.Context, _ *struct{}) (*listAnswer, error) {
		list, err := graphs.List(ctx, UserID(ctx))
		return &listAnswer{list}, err
	})

	type createRequest struct{ Body createGraphBody }
	route(a, operation{
		id: "postV1Create new graph", method: http.MethodPost, path: "/api/graphs", summary: "Create new graph", tags: tags,
	}, func(ctx context.Context, in *createRequest) (*modelAnswer, error) {
		m, err := graphs.Create(ctx, UserID(ctx), in.Body.Graph)
		return &modelAnswer{m}, err
	})

	type getRequest struct {
		GraphID   string `path:"graph_id"`
		Version   int    `query:"version" minimum:"1"`
		ForExport bool   `query:"for_export"`
	}
	route(a, operation{
		id: "getV1Get specific graph", method: http.MethodGet, path: "/api/graphs/{graph_id}", summary: "Get specific graph", tags: tags,
	}, func(ctx context.Context, in *getRequest) (*modelAnswer, error) {
		m, err := graphs.Get(ctx, UserID(ctx), in.GraphID, in.Version, in.ForExport)
		return &modelAnswer{m}, err
	})

	type getVersionRequest struct {
		GraphID   string `path:"graph_id"`
		Version   int    `path:"version" minimum:"1"`
		ForExport bool   `query:"for_export"`
	}
	route(a, operation{
		id: "getV1Get graph version", method: http.MethodGet, path: "/api/graphs/{graph_id}/versions/{version}", summary: "Get graph version", tags: tags,
	}, func(ctx context.Context, in *getVersionRequest) (*modelAnswer, error) {
		m, err := graphs.Get(ctx, UserID(ctx), in.GraphID, in.Version, in.ForExport)
		return &modelAnswer{m}, err
	})

	type graphRequest struct {
		GraphID string `path:"graph_id"`
	}
	type versionsAnswer struct{ Body []*graph.Model }
	route(a, operation{
		id: "getV1Get all graph versions", method: http.MethodGet, path: "/api/graphs/{graph_id}/versions", summary: "Get all graph versions", tags: tags,
	}, func(ctx context.Context, in *graphRequest) (*versionsAnswer, error) {
		list, err := graphs.Versions(ctx, UserID(ctx), in.GraphID)
		return &versionsAnswer{list}, err
	})

	type updateRequest struct {
		GraphID string `path:"graph_id"`
		Body    graph.Graph
	}
	route(a, operation{
		id: "putV1Update graph version", method: http.MethodPut, path: "/api/graphs/{graph_id}", summary: "Update graph version", tags: tags,
	}, func(ctx context.Context, in *updateRequest) (*modelAnswer, error) {
		m, err := graphs.Update(ctx, UserID(ctx), in.GraphID, in.Body)
		return &modelAnswer{m}, err
	})

	type activeRequest struct {
		GraphID string `path:"graph_id"`
		Body    activeVersionBody
	}
	type anyAnswer struct{ Body any }
	route(a, operation{
		id: "putV1Set active graph version", method: http.MethodPut, path: "/api/graphs/{graph_id}/versions/active", summary: "Set active graph version", tags: tags,
	}, func(ctx context.Context, in *activeRequest) (*anyAnswer, error) {
		return &anyAnswer{}, graphs.SetActive(ctx, UserID(ctx), in.GraphID, in.Body.ActiveGraphVersion)
	})

	type settingsRequest struct {
		GraphID string `path:"graph_id"`
		Body    graph.Settings
	}
	type settingsAnswer struct{ Body graph.Settings }
	route(a, operation{
		id: "patchV1Update graph settings", method: http.MethodPatch, path: "/api/graphs/{graph_id}/settings", summary: "Update graph settings", tags: tags,
	}, func(ctx context.Context, in *settingsRequest) (*settingsAnswer, error) {
		return &settingsAnswer{in.Body}, graphs.SetSettings(ctx, UserID(ctx), in.GraphID, in.Body)
	})

	type deleteAnswer struct{ Body deletedGraph }
	route(a, operation{
		id: "deleteV1Delete graph permanently", method: http.MethodDelete, path: "/api/graphs/{graph_id}", summary: "Delete graph permanently", tags: tags,
	}, func(ctx context.Context, in *graphRequest) (*deleteAnswer, error) {
		n, err := graphs.Delete(ctx, UserID(ctx), in.GraphID)
		return &deleteAnswer{deletedGraph{n}}, err
	})
}
