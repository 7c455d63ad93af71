package coretest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"agentserver/core"
)

// Vector is one case of a block: what goes in, what the vendor and the
// platform answer, and what comes out.
type Vector struct {
	// Name says what the case shows.
	Name string `json:"name"`
	// Input are the block's inputs, without credentials.
	Input core.Values `json:"input"`
	// Coerce applies the coercions of a run first, as between nodes.
	Coerce bool `json:"coerce,omitempty"`
	// Credentials by input name. An input that takes an API key and has none
	// here gets a test key.
	Credentials map[string]Credential `json:"credentials,omitempty"`
	// Timezone of the user, UTC unless set.
	Timezone string `json:"timezone,omitempty"`
	// ReviewSafeMode and SensitiveSafeMode turn the safe modes on.
	ReviewSafeMode    bool `json:"review_safe_mode,omitempty"`
	SensitiveSafeMode bool `json:"sensitive_safe_mode,omitempty"`
	// Exchanges are the HTTP requests expected, in order.
	Exchanges []Exchange `json:"exchanges,omitempty"`
	// Models are the language model calls expected, in order.
	Models []ModelExchange `json:"models,omitempty"`
	// Store is what the key-value store holds before; StoreAfter, when set,
	// what it must hold afterwards.
	Store      map[string]any `json:"store,omitempty"`
	StoreAfter map[string]any `json:"store_after,omitempty"`
	// Files can be opened by these references. Data URIs open in any case, and a
	// file that the block stores gets a data URI as its reference.
	Files map[string]File `json:"files,omitempty"`
	// Review is the decision of a person when the block asks for one; without it
	// there is none yet, and the node waits.
	Review *core.Decision `json:"review,omitempty"`
	// Outputs are the emissions expected, in order, as [pin, value] pairs.
	Outputs []Output `json:"outputs"`
	// Error, when set, must be part of the failure's message.
	Error string `json:"error,omitempty"`
}

// Credential is a credential in a vector.
type Credential struct {
	Type     core.CredentialType `json:"type"`
	Provider string              `json:"provider,omitempty"`
	Key      string              `json:"api_key,omitempty"`
	Token    string              `json:"access_token,omitempty"`
	Username string              `json:"username,omitempty"`
	Password string              `json:"password,omitempty"`
	Host     string              `json:"host,omitempty"`
	Headers  map[string]string   `json:"headers,omitempty"`
	Metadata map[string]any      `json:"metadata,omitempty"`
	Scopes   []string            `json:"scopes,omitempty"`
}

// Exchange is a request that the block must send, and its answer.
type Exchange struct {
	Request  Request  `json:"request"`
	Response Response `json:"response"`
}

// Request is what must be sent. Members left out are not compared.
type Request struct {
	Method string `json:"method"`
	// URL is the whole URL without the query.
	URL     string              `json:"url"`
	Query   map[string][]string `json:"query,omitempty"`
	Headers map[string]string   `json:"headers,omitempty"`
	// Body is compared as JSON; Form as a URL-encoded form; Text as it is; Parts
	// as those of a multipart form, in their order.
	Body  any                 `json:"body,omitempty"`
	Form  map[string][]string `json:"form,omitempty"`
	Text  string              `json:"text,omitempty"`
	Parts []Part              `json:"parts,omitempty"`
}

// Part is a part of a multipart form.
type Part struct {
	Name string `json:"name"`
	// FileName and Type are those of a file; a field has none.
	FileName string `json:"filename,omitempty"`
	Type     string `json:"type,omitempty"`
	// Text is the content, or Base64 what is not text.
	Text   string `json:"text,omitempty"`
	Base64 string `json:"base64,omitempty"`
}

// Response is the vendor's answer.
type Response struct {
	Status  int               `json:"status"` // 200 unless set
	Headers map[string]string `json:"headers,omitempty"`
	// Body is sent as JSON, or Text as it is.
	Body any    `json:"body,omitempty"`
	Text string `json:"text,omitempty"`
}

// ModelExchange is a language model call that the block must make.
type ModelExchange struct {
	Model     string              `json:"model"`
	Messages  []core.ModelMessage `json:"messages,omitempty"`
	MaxTokens int                 `json:"max_tokens,omitempty"`
	JSON      bool                `json:"json,omitempty"`
	// Text is the answer, or Error the failure.
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
}

// Output is one emission.
type Output struct {
	Pin   string
	Value any
}

// UnmarshalJSON reads a [pin, value] pair.
func (o *Output) UnmarshalJSON(data []byte) error {
	v, err := core.DecodeJSON(data)
	if err != nil {
		return err
	}
	pair, ok := v.([]any)
	if !ok || len(pair) != 2 {
		return fmt.Errorf("an output is a [pin, value] pair, got %s", data)
	}
	o.Pin, ok = pair[0].(string)
	if !ok {
		return fmt.Errorf("an output's pin is text, got %s", data)
	}
	o.Value = pair[1]
	return nil
}

// loadVectors reads every vector file of a folder, by block name.
func loadVectors(dir string) (map[string][]Vector, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*Block.json"))
	if err != nil {
		return nil, err
	}
	all := map[string][]Vector{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		d.UseNumber()
		var list []Vector
		if err := d.Decode(&list); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for i := range list {
			list[i].Input, _ = core.Numbers(map[string]any(list[i].Input)).(map[string]any)
			core.Numbers(list[i].Store)
			core.Numbers(list[i].StoreAfter)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = list
	}
	return all, nil
}
