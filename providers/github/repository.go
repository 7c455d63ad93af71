package github

import (
	"strings"

	"agentserver/core"
)

// open gives the repository and the API as the user's credential sees it.
func (in *repoIn) open(run *core.Run) (*api, repo, error) {
	r, err := parseRepo(in.RepoURL)
	return newAPI(run, in.Credentials), r, err
}

// emitList gives a list and then each of its items.
func emitList[T any](list core.Pin[[]T], item core.Pin[T], items []T) {
	list.Emit(items)
	for _, i := range items {
		item.Emit(i)
	}
}

// refParts gives the parts of the name of a branch, a tag or a commit. Each is a
// segment of a path, because the API keeps the slashes of refs. Errors are of
// kind Invalid.
func refParts(name string) ([]string, error) {
	parts := strings.Split(strings.TrimSpace(name), "/")
	for _, p := range parts {
		if p == "" || p == "." || p == ".." {
			return nil, core.Errorf(core.Invalid, "%q is not the name of a branch, a tag or a commit", name)
		}
	}
	return parts, nil
}

// checkRef is [refParts] for routes that take a whole name as one segment.
func checkRef(name string) (string, error) {
	parts, err := refParts(name)
	return strings.Join(parts, "/"), err
}

// fileParts gives the parts of the path of a file or folder, none for the top
// of the repository. Errors are of kind Invalid.
func fileParts(path string) ([]string, error) {
	path = strings.Trim(path, "/")
	if path == "" {
		return nil, nil
	}
	parts := strings.Split(path, "/")
	for _, p := range parts {
		if p == "" || p == "." || p == ".." {
			return nil, core.Errorf(core.Invalid, "%q is not the path of a file or folder", path)
		}
	}
	return parts, nil
}
