package github

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestParseTarget(t *testing.T) {
	o := repo{"owner", "repo"}
	for text, want := range map[string]target{
		"owner/repo":                                   {o, kindRepo, 0, ""},
		" https://github.com/owner/repo/ ":             {o, kindRepo, 0, ""},
		"https://github.com/owner/repo.git":            {o, kindRepo, 0, ""},
		"github.com/owner/repo":                        {o, kindRepo, 0, ""},
		"HTTP://WWW.GitHub.com/owner/repo":             {o, kindRepo, 0, ""},
		"https://api.github.com/repos/owner/repo":      {o, kindRepo, 0, ""},
		"https://github.com/owner/repo/issues":         {o, kindRepo, 0, ""},
		"https://github.com/owner/repo/issues/new":     {o, kindRepo, 0, ""},
		"https://github.com/owner/repo/tree/main/a/b":  {o, kindRepo, 0, ""},
		"https://github.com/owner/repo?tab=readme#top": {o, kindRepo, 0, "top"},
		"https://github.com/pullbot/pull/pull/3":       {repo{"pullbot", "pull"}, kindPull, 3, ""},
		"https://github.com/o-1/a.b_c":                 {repo{"o-1", "a.b_c"}, kindRepo, 0, ""},

		"https://github.com/owner/repo/issues/7":                          {o, kindIssue, 7, ""},
		"https://github.com/owner/repo/issues/7/?q=1#issuecomment-12":     {o, kindIssue, 7, "issuecomment-12"},
		"github.com/owner/repo/pull/5":                                    {o, kindPull, 5, ""},
		"https://github.com/owner/repo/pull/42/files#diff-1":              {o, kindPull, 42, "diff-1"},
		"https://github.com/owner/repo/pull/1#discussion_r77":             {o, kindPull, 1, "discussion_r77"},
		"https://api.github.com/repos/owner/repo/pulls/42":                {o, kindPull, 42, ""},
		"https://api.github.com/repos/owner/repo/issues/42/comments":      {o, kindIssue, 42, ""},
		"https://api.github.com/repos/owner/repo/issues/comments/123":     {o, kindRepo, 0, "issuecomment-123"},
		"https://api.github.com/repos/owner/repo/pulls/comments/9?page=1": {o, kindRepo, 0, "discussion_r9"},
	} {
		got, err := parseTarget(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
}

func TestParseTargetRefuses(t *testing.T) {
	for _, text := range []string{
		"", "owner", "owner/", "/repo", "owner/..", "./repo", "owner/repo/x", "owner/re po", "owner/repo?x", "owner/.git",
		"https://github.com", "https://github.com/owner", "https://api.github.com/user/repos", "https://api.github.com/repos/owner",
		"https://example.com/owner/repo", "example.com/owner/repo", "https://github.com.evil.example/owner/repo",
		"https://github.com@evil.example/owner/repo", "https://u:p@github.com/owner/repo", "https://github.com:8443/owner/repo",
		"ftp://github.com/owner/repo", "https://github.com/owner%2F../repo", "https://github.com/%2e%2e/repo",
		"https://github.com/owner/repo/issues/0", "https://github.com/owner/repo/pull/99999999999999999999", "https://%zz",
	} {
		_, err := parseTarget(text)
		require.ErrorContains(t, err, "Invalid GitHub URL format.", text)
		require.True(t, core.IsKind(err, core.Invalid), text)
		_, err = parseRepo(text)
		require.Error(t, err, text)
	}
}

func TestParseIssueAndPull(t *testing.T) {
	for text, want := range map[string]struct{ issue, pull bool }{
		"https://github.com/owner/repo":          {false, false},
		"https://github.com/owner/repo/issues/7": {true, false},
		"https://github.com/owner/repo/pull/7":   {true, true},
		"https://example.com/not-a-pr":           {false, false},
	} {
		_, err := parseIssue(text)
		require.Equal(t, want.issue, err == nil, "%s: %v", text, err)
		_, err = parsePull(text)
		require.Equal(t, want.pull, err == nil, "%s: %v", text, err)
	}
}

func TestPaths(t *testing.T) {
	r, err := parseRepo("owner/repo")
	require.NoError(t, err)
	require.Equal(t, "owner/repo", r.String())
	require.Equal(t, "/repos/owner/repo", r.path())
	require.Equal(t, "/repos/owner/repo/git/refs/heads/feature%2Fx%3F%20y%25", r.path("git", "refs", "heads", "feature/x? y%"))
	require.Equal(t, "https://github.com/owner/repo/tree/feature/x%20y", r.web("tree", "feature/x y"))
	n := target{repo: r, kind: kindPull, number: 42}
	require.Equal(t, "/repos/owner/repo/issues/42/labels/a%2Fb", n.issue("labels", "a/b"))
	require.Equal(t, "/repos/owner/repo/pulls/42/merge", n.pull("merge"))
	require.Equal(t, "/repos/owner/repo/pulls/42", n.pull())
}

func FuzzParseTarget(f *testing.F) {
	f.Add("https://github.com/owner/repo/pull/42#discussion_r77")
	f.Add("owner/repo")
	f.Add("https://api.github.com/repos/o/r/issues/comments/1")
	f.Fuzz(func(t *testing.T, text string) {
		found, err := parseTarget(text)
		if err != nil {
			require.True(t, core.IsKind(err, core.Invalid))
			return
		}
		require.NoError(t, checkPath(found.path()), "names lead out of the repository")
		again, err := parseRepo(found.web())
		require.NoError(t, err)
		require.Equal(t, found.repo, again)
		require.Equal(t, found.kind != kindRepo, found.number > 0)
	})
}
