package server

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"agentserver/core"
	"agentserver/core/execution"
	"agentserver/core/preset"
)

// presetForGraph saves inputs for a graph.
type presetForGraph struct {
	GraphID      string                        `json:"graph_id"`
	GraphVersion int                           `json:"graph_version"`
	Inputs       core.Values                   `json:"inputs"`
	Credentials  map[string]core.CredentialRef `json:"credentials"`
	Name         string                        `json:"name"`
	Description  string                        `json:"description"`
	IsActive     bool                          `json:"is_active" required:"false" default:"true"`
	WebhookID    *string                       `json:"webhook_id" required:"false"`
}

// presetFromRun saves the inputs of a run.
type presetFromRun struct {
	GraphExecutionID string `json:"graph_execution_id"`
	Name             string `json:"name"`
	Description      string `json:"description"`
	IsActive         bool   `json:"is_active" required:"false" default:"true"`
}

// presetBody is one of the two.
type presetBody struct {
	preset.New
	missing []string
}

// Resolve names the members that are missing.
func (b *presetBody) Resolve(huma.Context, *huma.PathBuffer) []error {
	var errs []error
	for _, name := range b.missing {
		errs = append(errs, &huma.ErrorDetail{Location: "body", Message: "expected required property " + name + " to be present"})
	}
	return errs
}

// Schema offers both forms.
func (presetBody) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[presetForGraph](), true, ""), r.Schema(reflect.TypeFor[presetFromRun](), true, ""),
	}}
}

// UnmarshalJSON tells the forms apart by what they name.
func (b *presetBody) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	needed := []string{"graph_id", "graph_version", "inputs", "credentials", "name", "description"}
	if _, run := members["graph_execution_id"]; run {
		needed = []string{"graph_execution_id", "name", "description"}
	}
	for _, name := range needed {
		if _, given := members[name]; !given {
			b.missing = append(b.missing, name)
		}
	}
	g := presetForGraph{IsActive: true}
	if err := json.Unmarshal(data, &g); err != nil {
		return err
	}
	var r presetFromRun
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	b.New = preset.New{
		GraphID: g.GraphID, GraphVersion: g.GraphVersion, Inputs: g.Inputs, Credentials: g.Credentials, WebhookID: g.WebhookID,
		Name: g.Name, Description: g.Description, IsActive: g.IsActive,
	}
	if g.GraphID == "" {
		b.ExecutionID = r.GraphExecutionID
	}
	return nil
}

// graphFilter is the id of a graph, or "" for all of them.
type graphFilter string

// presetsRequest asks for a page of presets.
type presetsRequest struct {
	GraphID  graphFilter `query:"graph_id" doc:"Only presets of this graph; empty for all"`
	Page     int         `query:"page" minimum:"1" default:"1"`
	PageSize int         `query:"page_size" minimum:"1" default:"10" doc:"At most 100 are given"`
}

// Resolve makes sure that clients say which presets they mean.
func (*presetsRequest) Resolve(ctx huma.Context) []error {
	u := ctx.URL()
	if u.Query().Has("graph_id") {
		return nil
	}
	return []error{&huma.ErrorDetail{Location: "query.graph_id", Message: "required query parameter is missing", Value: ""}}
}

// Schema says that it may be null, as clients are generated.
func (graphFilter) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Nullable: true}
	s.PrecomputeMessages()
	return s
}

type presetChange struct {
	Inputs      core.Values                   `json:"inputs" required:"false" nullable:"true"`
	Credentials map[string]core.CredentialRef `json:"credentials" required:"false" nullable:"true"`
	Name        *string                       `json:"name" required:"false"`
	Description *string                       `json:"description" required:"false"`
	IsActive    *bool                         `json:"is_active" required:"false"`
}

type triggerSetup struct {
	Name             string                        `json:"name"`
	Description      string                        `json:"description" required:"false" default:""`
	GraphID          string                        `json:"graph_id"`
	GraphVersion     int                           `json:"graph_version"`
	TriggerConfig    core.Values                   `json:"trigger_config"`
	AgentCredentials map[string]core.CredentialRef `json:"agent_credentials" required:"false"`
}

type presetRun struct {
	Inputs           core.Values                   `json:"inputs" required:"false"`
	CredentialInputs map[string]core.CredentialRef `json:"credential_inputs" required:"false"`
}

// presetRoutes adds /api/library/presets.
func (a *API) presetRoutes() {
	presets := a.platform.Presets
	tags := []string{"v2", "presets"}

	type pageAnswer struct{ Body *preset.Page }
	route(a, operation{
		id: "getV2List presets", method: http.MethodGet, path: "/api/library/presets", summary: "List presets", tags: tags,
	}, func(ctx context.Context, in *presetsRequest) (*pageAnswer, error) {
		page, err := presets.List(ctx, UserID(ctx), string(in.GraphID), in.Page, in.PageSize)
		return &pageAnswer{page}, err
	})

	// The library takes an empty value for a missing one, so presence is checked by
	// the request itself.
	for _, p := range a.huma.OpenAPI().Paths["/api/library/presets"].Get.Parameters {
		p.Required = p.Required || p.Name == "graph_id"
	}

	type presetAnswer struct{ Body *preset.Preset }
	type oneRequest struct {
		PresetID string `path:"preset_id"`
	}
	route(a, operation{
		id: "getV2Get a specific preset", method: http.MethodGet, path: "/api/library/presets/{preset_id}", summary: "Get a specific preset", tags: tags,
	}, func(ctx context.Context, in *oneRequest) (*presetAnswer, error) {
		p, err := presets.Get(ctx, UserID(ctx), in.PresetID)
		return &presetAnswer{p}, err
	})

	type createRequest struct{ Body presetBody }
	route(a, operation{
		id: "postV2Create a new preset", method: http.MethodPost, path: "/api/library/presets", summary: "Create a new preset", tags: tags,
	}, func(ctx context.Context, in *createRequest) (*presetAnswer, error) {
		p, err := presets.Create(ctx, UserID(ctx), in.Body.New)
		return &presetAnswer{p}, err
	})

	type setupRequest struct{ Body triggerSetup }
	route(a, operation{
		id: "postV2SetupTrigger", method: http.MethodPost, path: "/api/library/presets/setup-trigger", summary: "Setup trigger", tags: tags,
	}, func(ctx context.Context, in *setupRequest) (*presetAnswer, error) {
		b := in.Body
		p, err := presets.SetUpTrigger(ctx, UserID(ctx), preset.TriggerSetup{
			Name: b.Name, Description: b.Description, GraphID: b.GraphID, GraphVersion: b.GraphVersion, Config: b.TriggerConfig, Credentials: b.AgentCredentials,
		})
		return &presetAnswer{p}, err
	})

	type updateRequest struct {
		PresetID string `path:"preset_id"`
		Body     presetChange
	}
	route(a, operation{
		id: "patchV2Update an existing preset", method: http.MethodPatch, path: "/api/library/presets/{preset_id}", summary: "Update an existing preset", tags: tags,
	}, func(ctx context.Context, in *updateRequest) (*presetAnswer, error) {
		p, err := presets.Update(ctx, UserID(ctx), in.PresetID, preset.Change(in.Body))
		return &presetAnswer{p}, err
	})

	route(a, operation{
		id: "deleteV2Delete a preset", method: http.MethodDelete, path: "/api/library/presets/{preset_id}", summary: "Delete a preset", tags: tags,
		status: http.StatusNoContent,
	}, func(ctx context.Context, in *oneRequest) (*struct{}, error) {
		return nil, presets.Delete(ctx, UserID(ctx), in.PresetID)
	})

	type executeRequest struct {
		PresetID string `path:"preset_id"`
		Body     *presetRun
	}
	type runAnswer struct{ Body *execution.Meta }
	route(a, operation{
		id: "postV2Execute a preset", method: http.MethodPost, path: "/api/library/presets/{preset_id}/execute", summary: "Execute a preset",
		tags: append(tags, "presets"),
	}, func(ctx context.Context, in *executeRequest) (*runAnswer, error) {
		var body presetRun
		if in.Body != nil {
			body = *in.Body
		}
		meta, err := presets.Execute(ctx, UserID(ctx), in.PresetID, body.Inputs, body.CredentialInputs)
		return &runAnswer{meta}, err
	})
}
