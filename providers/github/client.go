package github

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"agentserver/core"
	"agentserver/core/rest"
)

const (
	// mediaType and apiVersion pin the form of requests and answers.
	mediaType  = "application/vnd.github+json"
	apiVersion = "2022-11-28"
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 64 << 20
)

// object is a JSON object of GitHub's.
type object = map[string]any

// api sends requests to GitHub with one credential.
type api struct {
	http core.Doer
	root string
	// auth is the value of the Authorization header.
	auth string
	// secrets are kept out of errors.
	secrets []core.Secret
}

// newAPI gives GitHub as a user's credential sees it, which is of type
// [core.APIKey] or [core.OAuth2].
func newAPI(run *core.Run, c core.Credential) *api { return connect(run.HTTP, c) }

func connect(doer core.Doer, c core.Credential) *api {
	a := &api{http: doer, root: config.root()}
	var token core.Secret
	switch c := c.(type) {
	case core.APIKey:
		token = c.Key
	case core.OAuth2:
		token = c.AccessToken
	}
	if token != "" {
		a.auth, a.secrets = "Bearer "+token.Reveal(), []core.Secret{token}
	}
	return a
}

// do makes a request and decodes the JSON answer into out, unless that is nil;
// into a *any, with numbers as [core.DecodeJSON] gives them. The path follows
// the address of the API, and its segments are escaped already. A request
// without a body has nil for it.
//
// Refusals of GitHub are errors of the form "HTTP 404 Error: Not Found", whose
// status [statusOf] gives. Requests wait out short rate limits, and only GET is
// made again after other failures.
func (a *api) do(ctx context.Context, method, path string, query url.Values, body, out any) error {
	if err := checkPath(path); err != nil {
		return err
	}
	if a.auth == "" {
		return core.Errorf(core.Invalid, "the credential holds no token for GitHub")
	}
	address := a.root + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	doer := &retrying{next: a.http, repeatable: method == http.MethodGet}
	data, err := rest.Send(ctx, doer, rest.Request{
		Method: method, URL: address, Auth: a.auth, JSON: body,
		Header: map[string]string{
			"Accept": mediaType, "X-GitHub-Api-Version": apiVersion, "User-Agent": rest.DefaultUserAgent,
		},
	})
	if err != nil {
		return a.failure(ctx, err)
	}
	if out == nil {
		return nil
	}
	return rest.Decode(data, out)
}

// checkPath refuses segments that would lead to another route, such as an empty
// label, with which GitHub would remove them all.
func checkPath(path string) error {
	for _, segment := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		switch segment {
		case "", ".", "..":
			return core.Errorf(core.Invalid, "a name in a GitHub address may not be %q", segment)
		}
	}
	return nil
}

// graphql asks the GraphQL API and decodes the data of the answer into out. An
// answer with errors is an error "GraphQL error: ...".
func (a *api) graphql(ctx context.Context, query string, variables map[string]any, out any) error {
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors []graphqlError  `json:"errors"`
	}
	body := object{"query": query, "variables": variables}
	if err := a.do(ctx, http.MethodPost, "/graphql", nil, body, &answer); err != nil {
		return err
	}
	if len(answer.Errors) > 0 {
		return a.graphqlFailure(answer.Errors)
	}
	if out == nil {
		return nil
	}
	return rest.Decode(answer.Data, out)
}
