package server

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/builder"
	"agentserver/core/credential"
	"agentserver/core/execution"
	"agentserver/core/graph"
	"agentserver/core/library"
	"agentserver/core/preset"
	"agentserver/core/webhook"
	"agentserver/core/workspace"
)

const (
	bearerScheme     = "HTTPBearerJWT" //nolint:gosec // a name, not a secret
	unauthorizedName = "HTTP401NotAuthenticatedError"
)

// humaConfig describes the API as its clients know it: unknown members are
// ignored, members are optional unless they say otherwise.
func humaConfig() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:        "3.1.0",
			Info:           &huma.Info{Title: "AutoGPT Agent Server", Version: "0.1"},
			OnAddOperation: []huma.AddOpFunc{asContracted},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					bearerScheme: {Type: "http", Scheme: "bearer", BearerFormat: "jwt"},
				},
				Responses: map[string]*huma.Response{unauthorizedName: {
					Description: "Authentication required",
					Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
						Type: "object", Properties: map[string]*huma.Schema{"detail": {Type: "string"}},
					}}},
				}},
			},
		},
		OpenAPIPath:   "/openapi",
		DocsPath:      "/docs",
		Formats:       map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json",
	}
	config.AllowAdditionalPropertiesByDefault = true
	config.FieldsOptionalByDefault = true
	return config
}

// contractID is where an operation keeps its id as clients know it: the
// library puts dashes in place of blanks.
const contractID = "contract_id"

// asContracted gives an operation its own id back, and lets query parameters
// without a default be null, as generated clients declare them.
func asContracted(_ *huma.OpenAPI, op *huma.Operation) {
	if id, ok := op.Metadata[contractID].(string); ok {
		op.OperationID = id
	}
	for _, p := range op.Parameters {
		if p.In == "query" && !p.Required && p.Schema != nil && p.Schema.Default == nil {
			p.Schema.Nullable = true
		}
	}
}

// schemaNames are the names that generated clients know, where they differ
// from those of our types.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[graph.Model]():             "GraphModel",
	reflect.TypeFor[graph.Meta]():              "GraphMeta",
	reflect.TypeFor[graph.BaseGraph]():         "BaseGraph-Input",
	reflect.TypeFor[graph.SubGraph]():          "BaseGraph-Output",
	reflect.TypeFor[graph.Settings]():          "GraphSettings",
	reflect.TypeFor[graph.TriggerInfo]():       "GraphTriggerInfo",
	reflect.TypeFor[execution.Meta]():          "GraphExecutionMeta",
	reflect.TypeFor[execution.Execution]():     "GraphExecution",
	reflect.TypeFor[execution.WithNodes]():     "GraphExecutionWithNodes",
	reflect.TypeFor[execution.NodeResult]():    "NodeExecutionResult",
	reflect.TypeFor[execution.Page]():          "GraphExecutionsPaginated",
	reflect.TypeFor[execution.Shared]():        "SharedExecutionResponse",
	reflect.TypeFor[execution.ShareLink]():     "ShareResponse",
	reflect.TypeFor[credential.Meta]():         "CredentialsMetaResponse",
	reflect.TypeFor[deletedCredential]():       "CredentialsDeletionResponse",
	reflect.TypeFor[providerNames]():           "ProviderNamesResponse",
	reflect.TypeFor[providerExample]():         "ProviderEnumResponse",
	reflect.TypeFor[core.CredentialRef]():      "CredentialsMetaInput",
	reflect.TypeFor[preset.Preset]():           "LibraryAgentPreset",
	reflect.TypeFor[preset.Page]():             "LibraryAgentPresetResponse",
	reflect.TypeFor[presetForGraph]():          "LibraryAgentPresetCreatable",
	reflect.TypeFor[presetFromRun]():           "LibraryAgentPresetCreatableFromGraphExecution",
	reflect.TypeFor[presetChange]():            "LibraryAgentPresetUpdatable",
	reflect.TypeFor[triggerSetup]():            "TriggeredPresetSetupRequest",
	reflect.TypeFor[presetRun]():               "Body_postV2Execute_a_preset",
	reflect.TypeFor[deliveriesPage]():          "WebhookDeliveries",
	reflect.TypeFor[webhook.Entry]():           "WebhookDelivery",
	reflect.TypeFor[replayBody]():              "WebhookReplay",
	reflect.TypeFor[replayed]():                "WebhookReplayed",
	reflect.TypeFor[workspace.File]():          "backend__api__features__workspace__routes__UploadFileResponse",
	reflect.TypeFor[workspace.Usage]():         "StorageUsageResponse",
	reflect.TypeFor[execution.PendingReview](): "PendingHumanReviewModel",
	reflect.TypeFor[reviewItem]():              "ReviewItem",
	reflect.TypeFor[reviewBody]():              "ReviewRequest",
	reflect.TypeFor[reviewed]():                "ReviewResponse",
	reflect.TypeFor[deletedFile]():             "DeleteFileResponse",
	reflect.TypeFor[uploadAnswer]():            "backend__api__model__UploadFileResponse",
	reflect.TypeFor[executeBody]():             "Body_postV1Execute_graph_agent",
	reflect.TypeFor[createGraphBody]():         "CreateGraph",
	reflect.TypeFor[activeVersionBody]():       "SetGraphActiveVersion",
	reflect.TypeFor[timezoneBody]():            "UpdateTimezoneRequest",
	reflect.TypeFor[deletedGraph]():            "DeleteGraphResponse",
	reflect.TypeFor[execution.Pagination]():    "Pagination",
	reflect.TypeFor[execution.Stats]():         "Stats",
	reflect.TypeFor[ErrorBody]():               "ErrorResponse",
	reflect.TypeFor[requestFault]():            "HTTPValidationError",
	reflect.TypeFor[core.Cost]():               "BlockCost",
	reflect.TypeFor[builder.BlockPage]():       "BlockResponse",
	reflect.TypeFor[builder.Category]():        "BlockCategoryResponse",
	reflect.TypeFor[builder.ProviderPage]():    "ProviderResponse",
	reflect.TypeFor[builder.Suggestions]():     "SuggestionsResponse",
	reflect.TypeFor[builder.Results]():         "SearchResponse",
	reflect.TypeFor[builder.Totals]():          "SearchTotals",
	reflect.TypeFor[builder.Counts]():          "CountResponse",
	reflect.TypeFor[library.Agent]():           "LibraryAgent",
	reflect.TypeFor[library.Listing]():         "MarketplaceListing",
	reflect.TypeFor[library.ListingCreator]():  "MarketplaceListingCreator",

	reflect.TypeFor[account.Deletion]():       "AccountDeletion",
	reflect.TypeFor[account.DeletionRecord](): "AccountDeletionRecord",
	reflect.TypeFor[account.DeletionPage]():   "AccountDeletionPage",
	reflect.TypeFor[account.StepReport]():     "AccountDeletionStep",
	reflect.TypeFor[confirmation]():           "AccountDeletionRequest",
}

func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := schemaNames[t]; ok {
		return name
	}
	return huma.DefaultSchemaNamer(t, hint)
}
