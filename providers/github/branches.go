package github

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"agentserver/core"
)

var branchBlocks = []core.Block{listBranches, makeBranch, deleteBranch, compareBranches}

// pageIn are the inputs of blocks that give one page of a list.
type pageIn struct {
	PerPage int `json:"per_page" default:"30" min:"1" max:"100" advanced:"true" doc:"Most items to give, from 1 to 100"`
	Page    int `json:"page" default:"1" min:"1" advanced:"true" doc:"Which page of that size"`
}

func (in *pageIn) query() url.Values {
	return url.Values{"per_page": {strconv.Itoa(in.PerPage)}, "page": {strconv.Itoa(in.Page)}}
}

// BranchItem is a branch in a list.
type BranchItem struct {
	Name string `json:"name" doc:"Name of the branch"`
	URL  string `json:"url" doc:"Address of its files"`
}

type listBranchesInput struct {
	repoIn
	pageIn
}

type listBranchesOutput struct {
	Branch   core.Pin[BranchItem]   `json:"branch" title:"Branch" doc:"Each branch in turn"`
	Branches core.Pin[[]BranchItem] `json:"branches" doc:"All branches of the page"`
}

var listBranches = core.NewBlock(core.BlockSpec{
	ID: "74243e49-2bec-4916-8bf4-db43d44aead5", Name: "GithubListBranchesBlock",
	Description: "Lists the branches of a repository, page by page.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *listBranchesInput, out *listBranchesOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	var found []struct {
		Name string `json:"name"`
	}
	if err := a.do(ctx, http.MethodGet, r.path("branches"), in.query(), nil, &found); err != nil {
		return err
	}
	branches := make([]BranchItem, len(found))
	for i, f := range found {
		branches[i] = BranchItem{Name: f.Name, URL: r.web("tree", f.Name)}
	}
	emitList(out.Branches, out.Branch, branches)
	return nil
})

// headPath gives the path of a branch below git/ref, for reading one, or
// git/refs, for changing it.
func headPath(r repo, refs, branch string) (string, error) {
	parts, err := refParts(branch)
	if err != nil {
		return "", err
	}
	return r.path(append([]string{"git", refs, "heads"}, parts...)...), nil
}

// headOf gives the commit that a branch is at.
func headOf(ctx context.Context, a *api, r repo, branch string) (string, error) {
	path, err := headPath(r, "ref", branch)
	if err != nil {
		return "", err
	}
	var ref struct {
		Object struct {
			SHA string `json:"sha"`
		} `json:"object"`
	}
	if err := a.do(ctx, http.MethodGet, path, nil, nil, &ref); err != nil {
		return "", err
	}
	return ref.Object.SHA, nil
}

type makeBranchInput struct {
	repoIn
	NewBranch    string `json:"new_branch" placeholder:"new_branch_name" doc:"Name of the new branch"`
	SourceBranch string `json:"source_branch" placeholder:"source_branch_name" doc:"Branch that it starts from"`
}

var makeBranch = core.NewBlock(core.BlockSpec{
	ID: "944cc076-95e7-4d1b-b6b6-b15d8ee5448d", Name: "GithubMakeBranchBlock",
	Description: "Creates a branch that starts where another one is.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *makeBranchInput, out *statusOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	name, err := checkRef(in.NewBranch)
	if err != nil {
		return err
	}
	sha, err := headOf(ctx, a, r, in.SourceBranch)
	if err != nil {
		return err
	}
	body := object{"ref": "refs/heads/" + name, "sha": sha}
	err = a.do(ctx, http.MethodPost, r.path("git", "refs"), nil, body, nil)
	return out.emit(err, "Branch created successfully")
})

type deleteBranchInput struct {
	repoIn
	Branch string `json:"branch" placeholder:"branch_name" doc:"Branch to delete"`
}

var deleteBranch = core.NewBlock(core.BlockSpec{
	ID: "0d4130f7-e0ab-4d55-adc3-0a40225e80f4", Name: "GithubDeleteBranchBlock",
	Description: "Deletes a branch.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared, Sensitive: true,
}, func(ctx context.Context, run *core.Run, in *deleteBranchInput, out *statusOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	path, err := headPath(r, "refs", in.Branch)
	if err != nil {
		return err
	}
	err = a.do(ctx, http.MethodDelete, path, nil, nil, nil)
	return out.emit(err, "Branch deleted successfully")
})
