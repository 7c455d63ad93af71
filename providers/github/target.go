package github

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"agentserver/core"
)

const invalidURL = "Invalid GitHub URL format."

// repo is a repository whose names are checked.
type repo struct{ owner, name string }

// path gives the path of something in the repository below the address of the
// API. Segments are names, and each is escaped.
func (r repo) path(segments ...string) string {
	path := "/repos/" + r.owner + "/" + r.name
	for _, s := range segments {
		path += "/" + url.PathEscape(s)
	}
	return path
}

// web gives the address of a page of the repository. Unlike in [repo.path], a
// slash in a segment, such as that of a branch, stays one.
func (r repo) web(segments ...string) string {
	address := "https://github.com/" + r.owner + "/" + r.name
	for _, s := range segments {
		address += "/" + strings.ReplaceAll(url.PathEscape(s), "%2F", "/")
	}
	return address
}

// String is "owner/repo".
func (r repo) String() string { return r.owner + "/" + r.name }

// The kinds of a [target].
const (
	kindRepo  = "repo"
	kindIssue = "issue"
	kindPull  = "pull"
)

// target is what an address of GitHub is about. For each page of a repository
// that is not of an issue or a pull request, that is the repository.
type target struct {
	repo
	kind   string
	number int
	// anchor is the fragment, such as "issuecomment-123". Addresses of comments
	// in the API have the one that their page has.
	anchor string
}

// issue gives the path of an issue, or of a pull request as an issue, or of
// something below it.
func (t target) issue(segments ...string) string {
	return t.path(append([]string{"issues", strconv.Itoa(t.number)}, segments...)...)
}

// pull gives the path of a pull request, or of something below it.
func (t target) pull(segments ...string) string {
	return t.path(append([]string{"pulls", strconv.Itoa(t.number)}, segments...)...)
}

var repoName = regexp.MustCompile(`^[\w.-]+$`)

// newRepo checks the two names.
func newRepo(owner, name string) (repo, error) {
	name = strings.TrimSuffix(name, ".git")
	for _, part := range []string{owner, name} {
		if !repoName.MatchString(part) || part == "." || part == ".." {
			return repo{}, core.Errorf(core.Invalid, "%s %q is not the name of a repository, such as owner/repo", invalidURL, owner+"/"+name)
		}
	}
	return repo{owner: owner, name: name}, nil
}

// parseRepo reads "owner/repo", or the address of a repository or of anything
// in it. Errors are of kind Invalid.
func parseRepo(text string) (repo, error) {
	t, err := parseTarget(text)
	return t.repo, err
}

// parseIssue reads the address of an issue, or of a pull request, which is an
// issue as well.
func parseIssue(text string) (target, error) {
	t, err := parseTarget(text)
	if err == nil && t.number == 0 {
		err = core.Errorf(core.Invalid, "%s %q is not the address of an issue or a pull request", invalidURL, text)
	}
	return t, err
}

// parsePull reads the address of a pull request.
func parsePull(text string) (target, error) {
	t, err := parseTarget(text)
	if err == nil && t.kind != kindPull {
		err = core.Errorf(core.Invalid, "%s %q is not the address of a pull request", invalidURL, text)
	}
	return t, err
}

// parseTarget reads "owner/repo" or an address, of the web site or of the API,
// with or without its scheme. Errors are of kind Invalid.
func parseTarget(text string) (target, error) {
	text = strings.TrimSpace(text)
	host, rest, anchor, err := splitAddress(text)
	if err != nil {
		return target{}, err
	}
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	switch {
	case host == "" && len(parts) != 2, host == "api.github.com" && parts[0] != "repos":
		return target{}, notAnAddress(text)
	case host == "api.github.com":
		parts = parts[1:]
	}
	if len(parts) < 2 {
		return target{}, notAnAddress(text)
	}
	r, err := newRepo(parts[0], parts[1])
	if err != nil {
		return target{}, err
	}
	t := target{repo: r, kind: kindRepo, anchor: anchor}
	return t, t.locate(parts[2:], text)
}

// locate reads what follows the repository in a path.
func (t *target) locate(parts []string, text string) error {
	if len(parts) < 2 {
		return nil
	}
	kind := map[string]string{"issues": kindIssue, "pull": kindPull, "pulls": kindPull}[parts[0]]
	switch {
	case kind == "":
		return nil
	case parts[1] == "comments" && len(parts) > 2 && digits.MatchString(parts[2]):
		t.anchor = map[string]string{kindIssue: issueComment, kindPull: reviewComment}[kind] + parts[2]
		return nil
	case !digits.MatchString(parts[1]):
		return nil // another page, such as issues/new
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n == 0 {
		return notAnAddress(text)
	}
	t.kind, t.number = kind, n
	return nil
}

// The fragments of comments, before their id: on an issue or a pull request,
// and on a line of the changes of one.
const (
	issueComment  = "issuecomment-"
	reviewComment = "discussion_r"
)

var digits = regexp.MustCompile(`^[0-9]+$`)

// splitAddress gives the host in lower case, "" for a bare "owner/repo", then
// the path and the fragment. Hosts that are not GitHub's are refused.
func splitAddress(text string) (host, path, anchor string, err error) {
	first, _, _ := strings.Cut(text, "/")
	if !strings.Contains(text, "://") {
		if !gitHubHosts[strings.ToLower(first)] {
			return "", text, "", nil
		}
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return "", "", "", notAnAddress(text)
	}
	host = strings.ToLower(u.Host)
	if !gitHubHosts[host] {
		return "", "", "", core.Errorf(core.Invalid, "%s The host must be github.com, not %q", invalidURL, u.Host)
	}
	return host, u.Path, u.Fragment, nil
}

var gitHubHosts = map[string]bool{"github.com": true, "www.github.com": true, "api.github.com": true}

func notAnAddress(text string) error {
	return core.Errorf(core.Invalid, "%s %q is not an address such as https://github.com/owner/repo", invalidURL, text)
}
