package github

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

func TestSensitiveBlocks(t *testing.T) {
	require.True(t, mergePull.Spec().Sensitive)
}

// Every block that calls GitHub takes both kinds of credentials, with a scope.
func TestCredentialsOfBlocks(t *testing.T) {
	for _, b := range provider.Blocks {
		f, ok := b.Spec().Field("credentials")
		if !ok {
			continue
		}
		require.Equal(t, []string{"github"}, f.Credentials.Providers, b.Spec().Name)
		require.NotEmpty(t, f.Credentials.Scopes, b.Spec().Name)
	}
}

func TestStartChecksTheAddress(t *testing.T) {
	for address, good := range map[string]bool{
		"https://api.github.com":          true,
		"https://github.example.com/api/": true,
		"http://localhost:8080":           true,
		"api.github.com":                  false,
		"ftp://api.github.com":            false,
		"https://token@api.github.com":    false,
		"https://api.github.com?x=1":      false,
		"https://api.github.com#top":      false,
		"":                                false,
		"http://%zz":                      false,
	} {
		pointAt(t, address)
		err := start(context.Background(), &core.Env{})
		require.Equal(t, good, err == nil, "%q: %v", address, err)
	}
}

func TestTrusted(t *testing.T) {
	for address, hosts := range map[string][]string{
		"https://api.github.com":  nil,
		"https://api.github.com/": nil,
		"http://127.0.0.1:99/x":   {"127.0.0.1:99"},
		"":                        nil,
	} {
		pointAt(t, address)
		require.Equal(t, hosts, trusted(), address)
	}
}

func TestClient(t *testing.T) {
	pointAt(t, defaultBaseURL)
	id, secret := signIn.Client()
	require.Empty(t, id)
	require.Empty(t, secret)
	config.ClientID, config.ClientSecret = "id-1", "secret-1"
	id, secret = signIn.Client()
	require.Equal(t, "id-1", id)
	require.Equal(t, core.Secret("secret-1"), secret)
}

func TestIdentify(t *testing.T) {
	a, s := scripted(t, reply{status: 200, body: `{"login":"octocat","id":1}`}, reply{status: 401, body: `{"message":"Bad credentials"}`})
	pointAt(t, a.root)
	grant := core.OAuthGrant{Token: core.OAuth2{AccessToken: token}}
	who, err := identify(t.Context(), a.http, grant)
	require.NoError(t, err)
	require.Equal(t, core.OAuthIdentity{Username: "octocat"}, who)
	require.Equal(t, "/user", s.requests()[0].RequestURI)
	require.Equal(t, "Bearer "+token, s.requests()[0].Header.Get("Authorization"))
	_, err = identify(t.Context(), a.http, grant)
	require.EqualError(t, err, "HTTP 401 Error: Bad credentials")
}

func TestRevoke(t *testing.T) {
	for status, good := range map[int]bool{204: true, 404: true, 401: false, 422: false, 500: false} {
		a, s := scripted(t, reply{status: status, body: map[bool]string{true: "", false: `{"message":"` + token + ` secret-1"}`}[status == 204]})
		pointAt(t, a.root)
		config.ClientID, config.ClientSecret = "Iv1.8a61f9b3a7aba766", "secret-1"
		err := revoke(t.Context(), a.http, core.OAuth2{AccessToken: token})
		require.Equal(t, good, err == nil, "%d: %v", status, err)
		if err != nil {
			require.ErrorContains(t, err, "********** **********")
		}
		r := s.requests()[0]
		require.Len(t, s.requests(), 1)
		require.Equal(t, "DELETE /applications/Iv1.8a61f9b3a7aba766/token", r.Method+" "+r.RequestURI)
		user, password, ok := r.BasicAuth()
		require.Equal(t, []any{"Iv1.8a61f9b3a7aba766", "secret-1", true}, []any{user, password, ok})
		require.JSONEq(t, `{"access_token":"`+token+`"}`, s.sent()[0])
		require.Equal(t, apiVersion, r.Header.Get("X-GitHub-Api-Version"))
		require.Equal(t, mediaType, r.Header.Get("Accept"))
	}
}

func TestCommentAddresses(t *testing.T) {
	for _, c := range []struct {
		in                  updateCommentInput
		method, path, error string
	}{
		{in: updateCommentInput{CommentURL: "https://github.com/owner/repo/issues/1#issuecomment-123456789"}, method: http.MethodPatch, path: "/repos/owner/repo/issues/comments/123456789"},
		{in: updateCommentInput{CommentURL: "https://github.com/owner/repo/pull/1#discussion_r77"}, method: http.MethodPatch, path: "/repos/owner/repo/pulls/comments/77"},
		{in: updateCommentInput{CommentURL: "https://github.com/owner/repo/pull/1#pullrequestreview-80"}, method: http.MethodPut, path: "/repos/owner/repo/pulls/1/reviews/80"},
		{in: updateCommentInput{CommentURL: "https://api.github.com/repos/owner/repo/issues/comments/5"}, method: http.MethodPatch, path: "/repos/owner/repo/issues/comments/5"},
		{in: updateCommentInput{CommentURL: "https://api.github.com/repos/owner/repo/pulls/comments/6"}, method: http.MethodPatch, path: "/repos/owner/repo/pulls/comments/6"},
		{in: updateCommentInput{IssueURL: "https://github.com/owner/repo/pull/3", CommentID: " 9 "}, method: http.MethodPatch, path: "/repos/owner/repo/issues/comments/9"},
		{in: updateCommentInput{IssueURL: "https://github.com/owner/repo/issues/1"}, error: "Must provide either comment_url or comment_id and issue_url"},
		{in: updateCommentInput{CommentID: "9"}, error: "Must provide either comment_url or comment_id and issue_url"},
		{in: updateCommentInput{}, error: "Invalid GitHub URL format."},
		{in: updateCommentInput{CommentURL: "https://example.com/x"}, error: "Invalid GitHub URL format."},
		{in: updateCommentInput{CommentURL: "https://github.com/owner/repo/issues/1"}, error: "It does not name a comment"},
		{in: updateCommentInput{CommentURL: "https://github.com/owner/repo/issues/1#issuecomment-x"}, error: "It does not name a comment"},
		{in: updateCommentInput{CommentURL: "https://github.com/owner/repo/issues/1#pullrequestreview-80"}, error: "It does not name a comment"},
		{in: updateCommentInput{IssueURL: "https://github.com/owner/repo/issues/1", CommentID: "../9"}, error: "It does not name a comment"},
	} {
		method, path, err := c.in.request()
		require.Equal(t, c.method+c.path, method+path, "%+v", c.in)
		if c.error == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, c.error, "%+v", c.in)
		require.True(t, core.IsKind(err, core.Invalid))
	}
}
