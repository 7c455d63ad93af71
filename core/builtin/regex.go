package builtin

import (
	"context"
	"time"

	"github.com/dlclark/regexp2"

	"agentserver/core"
)

func regexBlocks() []core.Block { return []core.Block{matchPattern(), extractText()} }

// subject gives the text that patterns are matched against: other values as
// compact JSON.
func subject(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	data, err := core.JSON(v)
	if err != nil {
		return "", core.Errorf(core.Invalid, "the value has no text form: %w", err)
	}
	return string(data), nil
}

func matchPattern() core.Block {
	type input struct {
		Text          any    `json:"text" doc:"Text to look at; other values are taken as JSON"`
		Match         string `json:"match" doc:"Regular expression to look for"`
		Data          any    `json:"data" doc:"What goes out; the text itself when empty"`
		CaseSensitive bool   `json:"case_sensitive" default:"true" doc:"Tell upper case from lower case"`
		DotAll        bool   `json:"dot_all" default:"true" doc:"Let a dot match line ends, too"`
	}
	type output struct {
		Positive core.Pin[any] `json:"positive" doc:"Fires when the pattern is found"`
		Negative core.Pin[any] `json:"negative" doc:"Fires when it is not"`
	}
	return core.NewBlock(textSpec("3060088f-6ed9-4928-9ba7-9c92823a7ccd", "MatchTextPatternBlock",
		"Looks for a regular expression in a text and goes one way or the other."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			text, err := subject(in.Text)
			if err != nil {
				return err
			}
			re, err := compilePattern(in.Match, in.CaseSensitive, in.DotAll)
			if err != nil {
				return err
			}
			found, err := re.MatchString(text)
			if err != nil {
				return core.Errorf(core.Invalid, "the pattern takes too long on this text (more than %v)", maxMatchTime)
			}
			data := in.Data
			if !core.Truthy(data) {
				data = in.Text
			}
			if found {
				out.Positive.Emit(data)
			} else {
				out.Negative.Emit(data)
			}
			return nil
		})
}

// Limits of an extraction, in characters and matches.
const (
	maxExtractText  = 1_000_000
	maxExtractMatch = 10_000
	maxExtracts     = 1000
)

func extractText() core.Block {
	type input struct {
		Text          any    `json:"text" doc:"Text to look at; other values are taken as JSON"`
		Pattern       string `json:"pattern" doc:"Regular expression to look for"`
		Group         int    `json:"group" default:"0" doc:"Number of the group to extract; 0 is the whole match"`
		CaseSensitive bool   `json:"case_sensitive" default:"true" doc:"Tell upper case from lower case"`
		DotAll        bool   `json:"dot_all" default:"true" doc:"Let a dot match line ends, too"`
		FindAll       bool   `json:"find_all" default:"false" doc:"Extract every match instead of the first"`
	}
	type output struct {
		Positive core.Pin[string]   `json:"positive" doc:"Fires with each extracted text"`
		Negative core.Pin[string]   `json:"negative" doc:"Fires with the whole text when nothing is found"`
		Results  core.Pin[[]string] `json:"matched_results" doc:"Every extracted text"`
		Count    core.Pin[int]      `json:"matched_count" doc:"How many there are"`
	}
	return core.NewBlock(textSpec("3146e4fe-2cdd-4f29-bd12-0c9d5bb4deb0", "ExtractTextInformationBlock",
		"Extracts from a text what a regular expression matches."),
		func(ctx context.Context, _ *core.Run, in *input, out *output) error {
			text, err := subject(in.Text)
			if err != nil {
				return err
			}
			// A pattern that is wrong or takes too long finds nothing: agents
			// rely on the negative pin for it.
			results := []string{}
			if re, err := compilePattern(in.Pattern, in.CaseSensitive, in.DotAll); err == nil {
				results = extract(ctx, re, text, in.Group, in.FindAll)
			}
			for _, r := range results {
				out.Positive.Emit(r)
			}
			if len(results) == 0 {
				out.Negative.Emit(text)
			}
			out.Results.Emit(results)
			out.Count.Emit(len(results))
			return ctx.Err()
		})
}

// extract gives what a group matched, or nothing when a match lacks the group
// or the time is up.
func extract(ctx context.Context, re *regexp2.Regexp, text string, group int, all bool) []string {
	runes := []rune(text)
	runes = runes[:min(len(runes), maxExtractText)]
	results := []string{}
	end := time.Now().Add(maxMatchTime)
	m, err := re.FindRunesMatch(runes)
	for seen := 0; m != nil && err == nil && seen < maxExtracts; seen++ {
		if group < 0 || ctx.Err() != nil {
			return []string{}
		}
		if group < m.GroupCount() {
			g := m.GroupByNumber(group)
			if len(g.Captures) == 0 {
				return []string{}
			}
			found := g.Runes()
			results = append(results, string(found[:min(len(found), maxExtractMatch)]))
			if !all {
				break
			}
		}
		if re.MatchTimeout = time.Until(end); re.MatchTimeout <= 0 {
			return []string{}
		}
		m, err = re.FindNextMatch(m)
	}
	if err != nil {
		return []string{}
	}
	return results
}
