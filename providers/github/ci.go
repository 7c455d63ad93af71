package github

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"agentserver/core"
)

var ciBlocks = []core.Block{getCIResults}

type ciInput struct {
	credentialsIn
	Repo            string  `json:"repo" placeholder:"owner/repo" doc:"The repository, as owner/repo"`
	Target          any     `json:"target" type:"string | integer" placeholder:"abc123def or 123" doc:"Hash of a commit, or number or address of a pull request"`
	SearchPattern   *string `json:"search_pattern" placeholder:".*error.*|.*warning.*" advanced:"true" doc:"Regular expression to search the reports of the checks for, line by line and in any case"`
	CheckNameFilter *string `json:"check_name_filter" placeholder:"*lint* or build-*" advanced:"true" doc:"Only checks of this name, in which * and ? stand for anything"`
}

// CheckRunItem is a check run with its report.
type CheckRunItem struct {
	ID            int      `json:"id" default:"0" doc:"Id of the check run"`
	Name          string   `json:"name" default:"" doc:"Name of the check"`
	Status        string   `json:"status" default:"" doc:"How far it is, such as completed"`
	Conclusion    *string  `json:"conclusion" doc:"How it ended, such as success"`
	StartedAt     *string  `json:"started_at" doc:"When it started"`
	CompletedAt   *string  `json:"completed_at" doc:"When it ended"`
	HTMLURL       string   `json:"html_url" default:"" doc:"Address of its page"`
	DetailsURL    *string  `json:"details_url" doc:"Address of the details"`
	OutputTitle   *string  `json:"output_title" doc:"Title of its report"`
	OutputSummary *string  `json:"output_summary" doc:"Summary of its report"`
	OutputText    *string  `json:"output_text" doc:"Text of its report"`
	Annotations   []object `json:"annotations" factory:"[]" doc:"Remarks on lines of files"`
}

type ciOutput struct {
	CheckRun          core.Pin[CheckRunItem]   `json:"check_run" title:"Check Run" doc:"Not given: see check_runs"`
	CheckRuns         core.Pin[[]CheckRunItem] `json:"check_runs" doc:"The checks"`
	MatchedLine       core.Pin[MatchedLine]    `json:"matched_line" title:"Matched Line" doc:"Not given: see matched_lines"`
	MatchedLines      core.Pin[[]MatchedLine]  `json:"matched_lines" doc:"The lines of reports that fit the pattern, if any"`
	OverallStatus     core.Pin[string]         `json:"overall_status" doc:"completed, pending or no_checks"`
	OverallConclusion core.Pin[string]         `json:"overall_conclusion" doc:"success, failure, pending or no_checks"`
	TotalChecks       core.Pin[int]            `json:"total_checks" doc:"How many checks there are"`
	PassedChecks      core.Pin[int]            `json:"passed_checks" doc:"How many of them passed"`
	FailedChecks      core.Pin[int]            `json:"failed_checks" doc:"How many of them failed"`
}

var getCIResults = core.NewBlock(core.BlockSpec{
	ID: "8ad9e103-78f2-4fdb-ba12-3571f2c95e98", Name: "GithubGetCIResultsBlock",
	Description: "Gives the results of the checks of a commit or a pull request, and searches their reports.",
	Categories:  developer, Credentials: needs("repo"),
}, func(ctx context.Context, run *core.Run, in *ciInput, out *ciOutput) error {
	r, err := parseRepo(in.Repo)
	if err != nil {
		return err
	}
	pattern, err := compileSearch(textOf(in.SearchPattern))
	if err != nil {
		return err
	}
	filter, err := compileWildcard(textOf(in.CheckNameFilter))
	if err != nil {
		return err
	}
	a := newAPI(run, in.Credentials)
	sha, err := commitOf(ctx, a, r, in.Target)
	if err != nil {
		return err
	}
	results, err := checkResults(ctx, a, r, sha, filter)
	if err != nil {
		return err
	}
	t := tallyOf(results)
	out.OverallStatus.Emit(t.status)
	out.OverallConclusion.Emit(t.conclusion)
	out.TotalChecks.Emit(len(results))
	out.PassedChecks.Emit(t.passed)
	out.FailedChecks.Emit(t.failed)
	out.CheckRuns.Emit(results)
	if lines := searchReports(results, pattern); len(lines) > 0 {
		out.MatchedLines.Emit(lines)
	}
	return nil
})

var commitHash = regexp.MustCompile(`^[0-9a-fA-F]{6,40}$`)

// leastHash is the length of the shortest hashes that git gives.
const leastHash = 7

// commitOf reads the target: a commit, or a pull request, whose newest commit it
// gives. A number may be a hash in digits only, if there is no such pull request.
func commitOf(ctx context.Context, a *api, r repo, value any) (string, error) {
	text := strings.TrimSpace(core.Text(value))
	pull := target{repo: r, kind: kindPull}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		pull.number = n
	} else if t, err := parsePull(text); err == nil {
		if !strings.EqualFold(t.String(), r.String()) {
			return "", core.Errorf(core.Invalid, "the pull request is not one of %s", r)
		}
		pull.number = t.number
	}
	isHash := commitHash.MatchString(text)
	if pull.number == 0 {
		if !isHash {
			return "", core.Errorf(core.Invalid, "Target must be a commit SHA or PR URL")
		}
		return text, nil
	}
	sha, err := pullHead(ctx, a, pull)
	if statusOf(err) == http.StatusNotFound && isHash && len(text) >= leastHash {
		return text, nil
	}
	return sha, err
}

// foundCheckRun is a check run as GitHub gives it.
type foundCheckRun struct {
	CheckRunItem
	Output struct {
		Title       *string `json:"title"`
		Summary     *string `json:"summary"`
		Text        *string `json:"text"`
		Annotations int     `json:"annotations_count"`
	} `json:"output"`
}

// checkResults gives the checks of a commit whose names pass the filter.
func checkResults(ctx context.Context, a *api, r repo, sha string, filter *regexp.Regexp) ([]CheckRunItem, error) {
	found, err := checkRuns(ctx, a, r, sha)
	if err != nil {
		return nil, err
	}
	results := []CheckRunItem{}
	for _, f := range found {
		if filter != nil && !filter.MatchString(f.Name) {
			continue
		}
		c := f.CheckRunItem
		c.OutputTitle, c.OutputSummary, c.OutputText = f.Output.Title, f.Output.Summary, f.Output.Text
		c.Annotations = []object{}
		if f.Output.Annotations > 0 {
			c.Annotations = annotations(ctx, a, r, f.ID)
		}
		results = append(results, c)
	}
	return results, ctx.Err()
}

func checkRuns(ctx context.Context, a *api, r repo, sha string) ([]foundCheckRun, error) {
	var all []foundCheckRun
	for n := 1; n <= maxPages; n++ {
		var page struct {
			CheckRuns []foundCheckRun `json:"check_runs"`
		}
		query := url.Values{"per_page": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(n)}}
		if err := a.do(ctx, http.MethodGet, r.path("commits", sha, "check-runs"), query, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.CheckRuns...)
		if len(page.CheckRuns) < pageSize {
			break
		}
	}
	return all, nil
}

// annotations gives the first remarks of a check, or none when they cannot be
// had: the results matter more.
func annotations(ctx context.Context, a *api, r repo, id int) []object {
	list := []object{}
	path := r.path("check-runs", strconv.Itoa(id), "annotations")
	if err := a.do(ctx, http.MethodGet, path, nil, nil, &list); err != nil {
		return []object{}
	}
	return list
}

// tally sums checks up.
type tally struct {
	status, conclusion string
	passed, failed     int
}

func tallyOf(results []CheckRunItem) tally {
	if len(results) == 0 {
		return tally{status: "no_checks", conclusion: "no_checks"}
	}
	t := tally{status: "completed", conclusion: "success"}
	pending := false
	for _, c := range results {
		pending = pending || c.Status != "completed"
		switch textOf(c.Conclusion) {
		case "success":
			t.passed++
		case "failure", "timed_out":
			t.failed++
			t.conclusion = "failure"
		case "action_required":
			t.conclusion = "failure"
		}
	}
	if pending {
		t.status, t.conclusion = "pending", "pending"
	}
	return t
}
