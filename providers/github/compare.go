package github

import (
	"context"
	"net/http"
	"strings"

	"agentserver/core"
)

type compareInput struct {
	repoIn
	Base string `json:"base" placeholder:"main" doc:"Branch, tag or commit to start from"`
	Head string `json:"head" placeholder:"feature-branch" doc:"Branch, tag or commit to compare with it"`
}

// FileChange is what a comparison says of a file, in GitHub's form and in that of the pin.
type FileChange struct {
	Filename  string `json:"filename" doc:"Path of the file"`
	Status    string `json:"status" doc:"What happened to it, such as added, modified, removed or renamed"`
	Additions int    `json:"additions" doc:"How many lines were added"`
	Deletions int    `json:"deletions" doc:"How many lines were deleted"`
	Patch     string `json:"patch" doc:"The changes as a patch, empty for large and binary files"`
}

type compareOutput struct {
	Status       core.Pin[string]       `json:"status" doc:"Where the head is as seen from the base: ahead, behind, diverged or identical"`
	AheadBy      core.Pin[int]          `json:"ahead_by" doc:"How many commits only the head has"`
	BehindBy     core.Pin[int]          `json:"behind_by" doc:"How many commits only the base has"`
	TotalCommits core.Pin[int]          `json:"total_commits" doc:"How many commits the comparison has"`
	Diff         core.Pin[string]       `json:"diff" doc:"All changes as one text"`
	File         core.Pin[FileChange]   `json:"file" title:"File" doc:"Each file that changed in turn"`
	Files        core.Pin[[]FileChange] `json:"files" doc:"The files that changed, at most 300"`
}

var compareBranches = core.NewBlock(core.BlockSpec{
	ID: "2e4faa8c-6086-4546-ba77-172d1d560186", Name: "GithubCompareBranchesBlock",
	Description: "Compares two branches, tags or commits.",
	Categories:  developer, Credentials: needs("repo"), ErrorPin: core.ErrorPinDeclared,
}, func(ctx context.Context, run *core.Run, in *compareInput, out *compareOutput) error {
	a, r, err := in.open(run)
	if err != nil {
		return err
	}
	base, err := checkRef(in.Base)
	if err != nil {
		return err
	}
	head, err := checkRef(in.Head)
	if err != nil {
		return err
	}
	var found struct {
		Status       string       `json:"status"`
		AheadBy      int          `json:"ahead_by"`
		BehindBy     int          `json:"behind_by"`
		TotalCommits int          `json:"total_commits"`
		Files        []FileChange `json:"files"`
	}
	if err := a.do(ctx, http.MethodGet, r.path("compare", base+"..."+head), nil, nil, &found); err != nil {
		return err
	}
	if found.Files == nil { // GitHub may leave it out
		found.Files = []FileChange{}
	}
	out.Status.Emit(found.Status)
	out.AheadBy.Emit(found.AheadBy)
	out.BehindBy.Emit(found.BehindBy)
	out.TotalCommits.Emit(found.TotalCommits)
	out.Diff.Emit(patchesOf(found.Files))
	emitList(out.Files, out.File, found.Files)
	return nil
})

// patchesOf joins the patches of those files that have one.
func patchesOf(files []FileChange) string {
	var parts []string
	for _, f := range files {
		if f.Patch != "" {
			parts = append(parts, "+++ b/"+f.Filename+"\n"+f.Patch)
		}
	}
	return strings.Join(parts, "\n")
}
