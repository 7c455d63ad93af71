// Package github works with GitHub: issues, pull requests, repositories and
// what is in them, and triggers that start agents when something happens there.
//
// Blocks and webhooks use its REST API, in the version of 2022-11-28, and its
// GraphQL API where REST has nothing. The vendor's documentation is at
// https://docs.github.com/en/rest.
package github

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"agentserver/core"
)

// settings are the operator's, under providers.github.
type settings struct {
	ClientID     string      `key:"client_id" doc:"Client id of the operator's OAuth app, with which users sign in" env:"GITHUB_CLIENT_ID"`
	ClientSecret core.Secret `key:"client_secret" doc:"Client secret of that app" env:"GITHUB_CLIENT_SECRET"`
	BaseURL      string      `key:"base_url" doc:"Address of the API" default:"https://api.github.com" env:"GITHUB_BASE_URL"`
}

// defaultBaseURL is the public API.
const defaultBaseURL = "https://api.github.com"

var config = &settings{BaseURL: defaultBaseURL}

var provider = &core.Provider{
	Name:     "github",
	Title:    "GitHub",
	Settings: config,
	Auth: []core.AuthMethod{
		core.APIKeyAuth{Help: "Create a personal access token at https://github.com/settings/tokens"},
		signIn,
	},
	Webhooks: webhooks{},
	Trusted:  trusted,
	Start:    start,
	Blocks: slices.Concat(
		issueBlocks, commentBlocks, labelBlocks, pullBlocks, reviewerBlocks, triggerBlocks,
		repoBlocks, branchBlocks, fileBlocks, commitBlocks, releaseBlocks, tagBlocks, discussionBlocks,
		reviewBlocks, ciBlocks, checkBlocks, statusBlocks, searchBlocks, starBlocks,
	),
}

func init() { core.Register(provider) }

// start checks the settings.
func start(context.Context, *core.Env) error {
	u, err := url.Parse(config.BaseURL)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
		u.Scheme != "https" && u.Scheme != "http" {
		return core.Errorf(core.Invalid, "base_url is not the address of an API, such as https://api.github.com")
	}
	return nil
}

// trusted lets an address that the operator has set be anywhere, such as a
// scripted GitHub on this machine.
func trusted() []string {
	u, err := url.Parse(config.BaseURL)
	if err != nil || u.Host == "" || config.root() == defaultBaseURL {
		return nil
	}
	return []string{u.Host}
}

// root is the address that the paths of the API follow.
func (s *settings) root() string { return strings.TrimRight(s.BaseURL, "/") }

var developer = []core.Category{core.CategoryDeveloper}

// credentialsIn is the input that every block has which calls GitHub. Such a
// block declares what it takes: Credentials: needs("repo").
type credentialsIn struct {
	Credentials core.Credential `json:"credentials" doc:"Account of GitHub"`
}

// needs says that a block takes a token or an account that was connected, with
// these scopes.
func needs(scopes ...string) map[string]core.CredentialsField {
	return map[string]core.CredentialsField{"credentials": {
		Types:  []core.CredentialType{core.TypeAPIKey, core.TypeOAuth2},
		Scopes: scopes,
	}}
}
