package github

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
)

const token = "ghp_sesame"

// reply is a scripted answer.
type reply struct {
	status int
	header map[string]string
	body   string
}

// script is a GitHub that answers in order, the last answer for ever, and
// notes what it was asked.
type script struct {
	replies []reply

	mu     sync.Mutex
	asked  []*http.Request
	bodies []string
}

// requests gives what it was asked, and sent the bodies of that.
func (s *script) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *script) sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bodies
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.bodies = append(s.asked, r), append(s.bodies, string(body))
	answer := s.replies[min(len(s.asked), len(s.replies))-1]
	if answer.status == 0 {
		panic(http.ErrAbortHandler) // the connection breaks
	}
	for name, value := range answer.header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.status)
	_, _ = io.WriteString(w, answer.body)
}

// scripted gives an API whose GitHub is a script.
func scripted(t *testing.T, replies ...reply) (*api, *script) {
	t.Helper()
	s := &script{replies: replies}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	doer := rest.NewClient(rest.Options{Trusted: []string{server.URL}})
	return &api{http: doer, root: server.URL, auth: "Bearer " + token, secrets: []core.Secret{token}}, s
}

func TestRequest(t *testing.T) {
	a, s := scripted(t, reply{status: 200, body: `{"id":9007199254740993,"half":0.5}`})
	var out any
	query := url.Values{"ref": {"a b"}}
	require.NoError(t, a.do(t.Context(), http.MethodPost, repo{"o", "r"}.path("git", "refs/x"), query, object{"a": 1}, &out))
	require.Equal(t, map[string]any{"id": 9007199254740993, "half": 0.5}, out)

	r := s.requests()[0]
	require.Equal(t, "/repos/o/r/git/refs%2Fx?ref=a+b", r.RequestURI)
	for name, value := range map[string]string{
		"Authorization": "Bearer " + token, "Accept": "application/vnd.github+json", "X-Github-Api-Version": "2022-11-28",
		"User-Agent": "agentserver", "Content-Type": "application/json",
	} {
		require.Equal(t, value, r.Header.Get(name), name)
	}
	require.JSONEq(t, `{"a":1}`, s.sent()[0])

	require.NoError(t, a.do(t.Context(), http.MethodDelete, "/x", nil, nil, nil))
	require.Empty(t, s.sent()[1])
	require.Empty(t, s.requests()[1].Header.Get("Content-Type"))
}

func TestTokens(t *testing.T) {
	for _, c := range []core.Credential{core.APIKey{Key: token}, core.OAuth2{AccessToken: token}} {
		a := newAPI(&core.Run{}, c)
		require.Equal(t, "Bearer "+token, a.auth)
		require.Equal(t, "https://api.github.com", a.root)
	}
	for _, c := range []core.Credential{nil, core.APIKey{}, core.UserPassword{Password: "x"}} {
		err := newAPI(&core.Run{}, c).do(t.Context(), http.MethodGet, "/user", nil, nil, nil)
		require.EqualError(t, err, "the credential holds no token for GitHub")
	}
}

func TestPathsOfOtherRoutes(t *testing.T) {
	a, s := scripted(t, reply{status: 200})
	for _, path := range []string{
		repo{"o", "r"}.path("issues", "7", "labels", ""), repo{"o", "r"}.path(".."), repo{"o", "r"}.path("contents", ".", "x"), "//x",
	} {
		err := a.do(t.Context(), http.MethodDelete, path, nil, nil, nil)
		require.True(t, core.IsKind(err, core.Invalid), "%s: %v", path, err)
	}
	require.Empty(t, s.requests())
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		reply reply
		kind  core.Kind
		text  string
	}{
		{reply{status: 405, body: `{"message":"Pull Request is not mergeable"}`}, core.Invalid, "HTTP 405 Error: Pull Request is not mergeable"},
		{reply{status: 404, body: `{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}`}, core.NotFound, "HTTP 404 Error: Not Found"},
		{reply{status: 410, body: `{"message":"Issues are disabled for this repo"}`}, core.NotFound, "HTTP 410 Error: Issues are disabled for this repo"},
		{
			reply{status: 422, body: `{"message":"Validation Failed","errors":[{"resource":"Issue","field":"title","code":"missing_field"}]}`},
			core.Invalid, "HTTP 422 Error: Validation Failed; Issue.title missing_field",
		},
		{
			reply{status: 422, body: `{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"No commits between a and b"},"and this"]}`},
			core.Invalid, "HTTP 422 Error: Validation Failed; No commits between a and b; and this",
		},
		{reply{status: 422, body: `{"message":"Unprocessable","errors":"one text"}`}, core.Invalid, "HTTP 422 Error: Unprocessable; one text"},
		{reply{status: 422, body: `{"message":"Odd","errors":[7,{}]}`}, core.Invalid, "HTTP 422 Error: Odd"},
		{reply{status: 401, body: `{"message":"Bad credentials ` + token + `"}`}, core.Forbidden, "HTTP 401 Error: Bad credentials **********"},
		{reply{status: 403, body: `{"message":"Resource not accessible by personal access token"}`}, core.Forbidden, "HTTP 403 Error: Resource not accessible by personal access token"},
		{reply{status: 409, body: `{"message":"Head branch was modified"}`}, core.Conflict, "HTTP 409 Error: Head branch was modified"},
		{reply{status: 502, body: `<html>Bad gateway</html>`}, core.Unavailable, "HTTP 502 Error: Bad Gateway"},
	} {
		a, _ := scripted(t, c.reply)
		err := a.do(t.Context(), http.MethodPost, "/x", nil, object{}, nil)
		require.EqualError(t, err, c.text)
		require.True(t, core.IsKind(err, c.kind), c.text)
		require.Equal(t, c.reply.status, statusOf(err))
	}
	require.Zero(t, statusOf(context.Canceled))
}

func TestAnswersThatAreNotJSON(t *testing.T) {
	a, _ := scripted(t, reply{status: 200, body: "<html>"})
	var out struct{}
	err := a.do(t.Context(), http.MethodGet, "/x", nil, nil, &out)
	require.True(t, core.IsKind(err, core.Unavailable), "%v", err)
}

func TestRepetitions(t *testing.T) {
	again := map[string]string{"Retry-After": "0"}
	good := reply{status: 200, body: `{}`}
	at := time.Unix(1_700_000_000, 0).UTC()
	free := func(left string, in time.Duration) map[string]string {
		return map[string]string{
			"Date": at.Format(http.TimeFormat), "X-RateLimit-Remaining": left,
			"X-RateLimit-Reset": strconv.FormatInt(at.Add(in).Unix(), 10),
		}
	}
	secondary := `{"message":"You have exceeded a secondary rate limit."}`
	for _, c := range []struct {
		name    string
		replies []reply
		// reads and writes are how often each kind of request is made.
		reads, writes int
		// failed is the status of the end, for both unless one gets through.
		failed int
	}{
		{"busy twice", []reply{{503, again, ""}, {502, again, ""}, good}, 3, 1, 0},
		{"busy for long", []reply{{503, again, ""}}, 3, 1, 503},
		{"a lost answer", []reply{{}, good}, 2, 1, 0},
		{"refused", []reply{{403, nil, `{"message":"Must have admin rights"}`}}, 1, 1, 403},
		{"not there", []reply{{404, again, ""}}, 1, 1, 404},
		{"limited", []reply{{429, again, ""}, good}, 2, 2, 0},
		{"secondary limit", []reply{{403, again, secondary}, good}, 2, 2, 0},
		{"limit that is over", []reply{{403, free("0", -time.Second), ""}, good}, 2, 2, 0},
		{"limited always", []reply{{429, again, ""}}, 3, 3, 429},
		{"limited for an hour", []reply{{403, free("0", time.Hour), secondary}}, 1, 1, 403},
		{"limited for ages", []reply{{429, map[string]string{"Retry-After": "1e300"}, ""}}, 1, 1, 429},
	} {
		t.Run(c.name, func(t *testing.T) {
			for method, times := range map[string]int{http.MethodGet: c.reads, http.MethodPost: c.writes} {
				a, s := scripted(t, c.replies...)
				var body any
				if method == http.MethodPost {
					body = object{"n": 1}
				}
				err := a.do(t.Context(), method, "/x", nil, body, nil)
				require.Len(t, s.requests(), times, method)
				if times == len(c.replies) && c.failed == 0 {
					require.NoError(t, err, method)
				} else {
					require.Error(t, err, method)
				}
				if c.failed != 0 {
					require.Equal(t, c.failed, statusOf(err))
				}
				for _, body := range s.sent() {
					require.Equal(t, s.sent()[0], body, "each attempt has the whole body")
				}
			}
		})
	}
}

func TestPauses(t *testing.T) {
	at := time.Unix(1_700_000_000, 0).UTC()
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	date, reset := at.Format(http.TimeFormat), strconv.FormatInt(at.Unix()+7, 10)
	require.Equal(t, 2*time.Second, untilFree(header("Retry-After", "2"), 0))
	require.Equal(t, 7*time.Second, untilFree(header("Date", date, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset), 0))
	require.Equal(t, time.Minute, untilFree(header("Date", date, "X-RateLimit-Remaining", "12", "X-RateLimit-Reset", reset), 0))
	require.Equal(t, time.Minute, untilFree(header(), 0))
	require.Equal(t, 2*time.Minute, untilFree(header("Retry-After", "soon"), 1))
	require.Zero(t, untilFree(header("Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT"), 0))
}

func TestStopsWhileItWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a, _ := scripted(t, reply{status: 503, header: map[string]string{"Retry-After": "50"}})
	next := a.http
	a.http = doerFunc(func(r *http.Request) (*http.Response, error) {
		res, err := next.Do(r)
		cancel()
		return res, err
	})
	require.ErrorIs(t, a.do(ctx, http.MethodGet, "/x", nil, nil, nil), context.Canceled)
}

type doerFunc func(*http.Request) (*http.Response, error)

func (f doerFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestGraphQL(t *testing.T) {
	a, s := scripted(t, reply{status: 200, body: `{"data":{"viewer":{"login":"u"}}}`},
		reply{status: 200, body: `{"data":null,"errors":[{"type":"NOT_FOUND","message":"Could not resolve to a Repository with the name 'o/r'."},{"message":"` + token + `"}]}`},
		reply{status: 200, body: `{}`})
	var out struct {
		Viewer struct {
			Login string `json:"login"`
		} `json:"viewer"`
	}
	require.NoError(t, a.graphql(t.Context(), "query($n:Int!){viewer{login}}", map[string]any{"n": 3}, &out))
	require.Equal(t, "u", out.Viewer.Login)
	require.Equal(t, "/graphql", s.requests()[0].RequestURI)
	require.JSONEq(t, `{"query":"query($n:Int!){viewer{login}}","variables":{"n":3}}`, s.sent()[0])

	err := a.graphql(t.Context(), "q", nil, &out)
	require.EqualError(t, err, "GraphQL error: Could not resolve to a Repository with the name 'o/r'.; **********")
	require.True(t, core.IsKind(err, core.NotFound))
	require.Error(t, a.graphql(t.Context(), "q", nil, &out), "an answer without data")
}

func TestListAll(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		page := make([]int, map[int]int{1: 100, 2: 100, 3: 7}[n])
		for i := range page {
			page[i] = n
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	t.Cleanup(server.Close)
	a := &api{http: rest.NewClient(rest.Options{Trusted: []string{server.URL}}), root: server.URL, auth: "Bearer " + token}
	all, err := listAll[int](t.Context(), a, "/x", url.Values{"state": {"open"}})
	require.NoError(t, err)
	require.Len(t, all, 207)
	require.Equal(t, []string{"page=1&per_page=100&state=open", "page=2&per_page=100&state=open", "page=3&per_page=100&state=open"}, asked)
}

func TestLimited(t *testing.T) {
	for _, c := range []struct {
		status  int
		header  http.Header
		body    string
		limited bool
	}{
		{429, nil, "", true},
		{403, nil, `{"message":"You have exceeded a secondary rate limit."}`, true},
		{403, http.Header{"Retry-After": {"1"}}, "", true},
		{403, http.Header{"X-Ratelimit-Remaining": {"0"}}, "", true},
		{403, http.Header{"X-Ratelimit-Remaining": {"10"}}, `{"message":"Must have admin rights to Repository."}`, false},
		{404, http.Header{"Retry-After": {"1"}}, "rate limit", false},
		{200, http.Header{"X-Ratelimit-Remaining": {"0"}}, "", false},
	} {
		res := &http.Response{StatusCode: c.status, Header: c.header}
		require.Equal(t, c.limited, limited(res, []byte(c.body)), "%+v", c)
	}
}
