package server_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealth(t *testing.T) {
	engines(t, func(b *bed) {
		a := b.call(nobody, "GET", "/health", nil)
		a.is(200, `{"status":"healthy","database":"ok","queue":"ok","bus":"ok"}`)
		require.Equal(b.t, "nosniff", a.header.Get("X-Content-Type-Options"))

		require.NoError(b.t, b.platform.DB.Write.Exec("DELETE FROM workers").Error)
		b.call(nobody, "GET", "/health", nil).is(503, `{"status":"unhealthy","database":"ok","queue":"not working","bus":"ok"}`)
	})
}

func TestHealthWithoutDatabase(t *testing.T) {
	b := newBed(t, "")
	// The pool ends here, and again when the platform closes, which is no error.
	pool, err := b.platform.DB.Read.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	a := b.call(nobody, "GET", "/health", nil)
	require.Equal(t, 503, a.status)
	require.Equal(t, "unhealthy", a.json().(map[string]any)["status"])
	require.Equal(t, "not working", a.json().(map[string]any)["database"])
}

func TestMetricsCountRequests(t *testing.T) {
	b := newBed(t, "")
	b.ok(alice, "GET", "/api/graphs", nil)
	a := b.call(nobody, "GET", "/metrics", nil)
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, `http_requests_total{handler="/api/graphs",method="GET",status="2xx"} 1`)
}

func TestDocs(t *testing.T) {
	b := newBed(t, "")
	a := b.call(nobody, "GET", "/docs", nil)
	require.Equal(t, 200, a.status)
	require.Contains(t, a.header.Get("Content-Type"), "text/html")
	require.Contains(t, a.body, "/openapi")
}

// openAPI is the document as far as tests read it.
type openAPI struct {
	OpenAPI    string
	Info       struct{ Title, Version string }
	Paths      map[string]map[string]openOperation
	Components struct {
		SecuritySchemes map[string]struct{ Type, Scheme, BearerFormat string }
		Responses       map[string]any
		Schemas         map[string]any
	}
}

type openOperation struct {
	OperationID string `json:"operationId"`
	Security    []map[string][]string
	Responses   map[string]any
	Parameters  []struct{ Name, In string }
	RequestBody any `json:"requestBody"`
}

func (b *bed) openAPI() openAPI {
	b.t.Helper()
	a := b.call(nobody, "GET", "/openapi.json", nil)
	require.Equal(b.t, 200, a.status)
	var doc openAPI
	require.NoError(b.t, json.Unmarshal([]byte(a.body), &doc))
	return doc
}

func TestOpenAPI(t *testing.T) {
	b := newBed(t, "")
	doc := b.openAPI()
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.Equal(t, "AutoGPT Agent Server", doc.Info.Title)
	require.Equal(t, "http", doc.Components.SecuritySchemes["HTTPBearerJWT"].Type)
	require.Equal(t, "bearer", doc.Components.SecuritySchemes["HTTPBearerJWT"].Scheme)
	require.Contains(t, doc.Components.Responses, "HTTP401NotAuthenticatedError")
	ids := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			require.NotEmpty(t, op.OperationID, "%s %s", method, path)
			require.False(t, ids[op.OperationID], "%s is used twice", op.OperationID)
			ids[op.OperationID] = true
			open := path == "/health" || strings.HasPrefix(path, "/api/public/") || strings.HasPrefix(path, "/api/integrations/providers") ||
				strings.HasSuffix(path, "/ingress")
			require.Equal(t, open, len(op.Security) == 0, "%s %s", method, path)
			_, has401 := op.Responses["401"]
			require.Equal(t, !open, has401, "%s %s", method, path)
		}
	}
}

// beyondContract are the operations that the contract does not have.
var beyondContract = []string{
	"deleteV1Delete user account", "deleteV1Delete account of user", "getV1List account deletions", "getV1Get account deletion",
	"getV1ListWebhookDeliveries", "postV1ReplayWebhookDelivery", "postV1ReplayWebhookDeliveries",
	"getV1ListManagedCredentials", "postV1RotateManagedCredential", "postV1RetryManagedCredential", "postV1RevokeManagedCredential",
}

// Clients are generated from operation ids, so these must be the contract's.
func TestOperationIDsAreTheContracts(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(contractFolder(t), "http-contract.json"))
	require.NoError(t, err)
	var contract openAPI
	require.NoError(t, json.Unmarshal(data, &contract))
	for path, methods := range newBed(t, "").openAPI().Paths {
		for method, op := range methods {
			want := contract.Paths[path][method].OperationID
			if slices.Contains(beyondContract, op.OperationID) {
				require.Empty(t, want, "%s %s is in the contract", method, path)
				continue
			}
			require.Equal(t, want, op.OperationID, "%s %s", method, path)
		}
	}
}
