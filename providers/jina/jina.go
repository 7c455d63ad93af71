// Package jina offers web search, reading of web pages, fact checks, text
// segmentation and embeddings by Jina AI.
//
// The vendor's documentation is at https://jina.ai, one page a product: reader
// (r.jina.ai and s.jina.ai), deepsearch, segmenter and embeddings.
package jina

import (
	"agentserver/core"
	"agentserver/core/rest"
)

// systemID is known to clients and to the cost filters of the blocks.
const systemID = "7f26de70-ba0d-494e-ba76-238e65e7b45f"

// settings are the operator's, under providers.jina.
type settings struct {
	APIKey core.Secret `key:"api_key" doc:"API key whose use the operator pays for" env:"JINA_API_KEY"`
}

var config = &settings{}

var provider = &core.Provider{
	Name:     "jina",
	Title:    "Jina",
	Settings: config,
	Auth:     []core.AuthMethod{core.APIKeyAuth{Help: "Create a key at https://jina.ai/api-dashboard"}},
	System:   []core.SystemCredential{{ID: systemID, Title: "Use Credits for Jina", Load: config.credential}},
	Blocks:   []core.Block{searchTheWeb, extractWebsite, factChecker, chunking, embedding},
}

func init() { core.Register(provider) }

// credential is the operator's key, if there is one.
func (s *settings) credential() core.Credential {
	if s.APIKey == "" {
		return nil
	}
	return core.APIKey{
		CredentialBase: core.CredentialBase{ID: systemID, Provider: "jina", Title: "Use Credits for Jina"},
		Key:            s.APIKey,
	}
}

// cost is a price for the use of the operator's key. The filter names inputs
// that must have a value besides.
func cost(amount int, filter map[string]any) []core.Cost {
	return []core.Cost{core.SystemCost("jina", systemID, amount, filter)}
}

// patient is the client for calls of the vendor, which are repeated where that
// is safe.
func patient(run *core.Run) core.Doer { return rest.Retrying{Next: run.HTTP} }
