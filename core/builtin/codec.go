package builtin

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"agentserver/core"
	"agentserver/core/template"
)

func codecBlocks() []core.Block {
	return []core.Block{encodeText(), decodeText(), countWords(), extractCode()}
}

func encodeText() core.Block {
	type input struct {
		Text string `json:"text" doc:"Text to escape"`
	}
	type output struct {
		Text core.Pin[string] `json:"encoded_text" doc:"The escaped text"`
	}
	spec := textSpec("5185f32e-4b65-4ecf-8fbb-873f003f09d6", "TextEncoderBlock",
		"Writes line ends, control characters and characters beyond ASCII as backslash escapes.")
	spec.ErrorPin = core.ErrorPinDeclared
	return core.NewBlock(spec, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		out.Text.Emit(escape(in.Text))
		return nil
	})
}

func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r >= 0x20 && r < 0x7f:
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

func decodeText() core.Block {
	type input struct {
		Text string `json:"text" doc:"Text with backslash escapes"`
	}
	type output struct {
		Text core.Pin[string] `json:"decoded_text" doc:"The text that the escapes stand for"`
	}
	return core.NewBlock(textSpec("2570e8fe-8447-43ed-84c7-70d657923231", "TextDecoderBlock",
		"Replaces backslash escapes such as \\n or \\u00e9 by what they stand for."),
		func(_ context.Context, _ *core.Run, in *input, out *output) error {
			text, err := template.DecodeEscapes(in.Text)
			if err != nil {
				return core.Errorf(core.Invalid, "%w", err)
			}
			out.Text.Emit(text)
			return nil
		})
}

func countWords() core.Block {
	type input struct {
		Text string `json:"text" doc:"Text to count"`
	}
	type output struct {
		Words      core.Pin[int] `json:"word_count" doc:"Number of words"`
		Characters core.Pin[int] `json:"character_count" doc:"Number of characters, white space included"`
	}
	spec := textSpec("ab2a782d-22cf-4587-8a70-55b59b3f9f90", "WordCharacterCountBlock",
		"Counts the words and the characters of a text.")
	spec.ErrorPin = core.ErrorPinDeclared
	return core.NewBlock(spec, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		out.Words.Emit(len(strings.Fields(in.Text)))
		out.Characters.Emit(utf8.RuneCountInString(in.Text))
		return nil
	})
}

type codeOutput struct {
	HTML       core.Pin[string] `json:"html" doc:"HTML"`
	CSS        core.Pin[string] `json:"css" doc:"CSS"`
	JavaScript core.Pin[string] `json:"javascript" doc:"JavaScript"`
	Python     core.Pin[string] `json:"python" doc:"Python"`
	SQL        core.Pin[string] `json:"sql" doc:"SQL"`
	Java       core.Pin[string] `json:"java" doc:"Java"`
	CPP        core.Pin[string] `json:"cpp" doc:"C++"`
	CSharp     core.Pin[string] `json:"csharp" doc:"C#"`
	JSON       core.Pin[string] `json:"json_code" doc:"JSON"`
	Bash       core.Pin[string] `json:"bash" doc:"Shell scripts"`
	PHP        core.Pin[string] `json:"php" doc:"PHP"`
	Ruby       core.Pin[string] `json:"ruby" doc:"Ruby"`
	YAML       core.Pin[string] `json:"yaml" doc:"YAML"`
	Markdown   core.Pin[string] `json:"markdown" doc:"Markdown"`
	TypeScript core.Pin[string] `json:"typescript" doc:"TypeScript"`
	XML        core.Pin[string] `json:"xml" doc:"XML"`
	Remaining  core.Pin[string] `json:"remaining_text" doc:"The text around the code"`
}

// codeLanguage is a language with the fence names it goes by.
type codeLanguage struct {
	names []string
	pin   func(*codeOutput) core.Pin[string]
}

var codeLanguages = []codeLanguage{
	{[]string{"html", "htm"}, func(o *codeOutput) core.Pin[string] { return o.HTML }},
	{[]string{"css"}, func(o *codeOutput) core.Pin[string] { return o.CSS }},
	{[]string{"javascript", "js"}, func(o *codeOutput) core.Pin[string] { return o.JavaScript }},
	{[]string{"python", "py"}, func(o *codeOutput) core.Pin[string] { return o.Python }},
	{[]string{"sql"}, func(o *codeOutput) core.Pin[string] { return o.SQL }},
	{[]string{"java"}, func(o *codeOutput) core.Pin[string] { return o.Java }},
	{[]string{"cpp", "c++"}, func(o *codeOutput) core.Pin[string] { return o.CPP }},
	{[]string{"csharp", "c#", "cs"}, func(o *codeOutput) core.Pin[string] { return o.CSharp }},
	{[]string{"json"}, func(o *codeOutput) core.Pin[string] { return o.JSON }},
	{[]string{"bash", "shell", "sh"}, func(o *codeOutput) core.Pin[string] { return o.Bash }},
	{[]string{"php"}, func(o *codeOutput) core.Pin[string] { return o.PHP }},
	{[]string{"ruby", "rb"}, func(o *codeOutput) core.Pin[string] { return o.Ruby }},
	{[]string{"yaml", "yml"}, func(o *codeOutput) core.Pin[string] { return o.YAML }},
	{[]string{"markdown", "md"}, func(o *codeOutput) core.Pin[string] { return o.Markdown }},
	{[]string{"typescript", "ts"}, func(o *codeOutput) core.Pin[string] { return o.TypeScript }},
	{[]string{"xml"}, func(o *codeOutput) core.Pin[string] { return o.XML }},
}

// fence matches the fenced blocks of the given names, in any case if asked.
func fence(names []string, anyCase bool) *regexp.Regexp {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = regexp.QuoteMeta(n)
	}
	flags := "(?s)"
	if anyCase {
		flags = "(?is)"
	}
	return regexp.MustCompile(flags + "```(?:" + strings.Join(quoted, "|") + ")[ \t]*\n(.*?)\n```")
}

var (
	// fences match each name's blocks, and anyFence those of all of them.
	fences   = map[string]*regexp.Regexp{}
	anyFence *regexp.Regexp
	// blankLines is a run of them.
	blankLines = regexp.MustCompile(`\n\s*\n`)
)

func init() {
	var all []string
	for _, language := range codeLanguages {
		for _, name := range language.names {
			fences[name] = fence([]string{name}, true)
			all = append(all, name)
		}
	}
	anyFence = fence(all, false)
}

func extractCode() core.Block {
	type input struct {
		Text string `json:"text" doc:"Text with fenced code, such as a language model writes"`
	}
	return core.NewBlock(textSpec("d3a7d896-3b78-4f44-8b4b-48fbf4f0bcd8", "CodeExtractionBlock",
		"Takes the fenced code out of a text, sorted by language."),
		func(_ context.Context, _ *core.Run, in *input, out *codeOutput) error {
			for _, language := range codeLanguages {
				var parts []string
				for _, name := range language.names {
					for _, m := range fences[name].FindAllStringSubmatch(in.Text, -1) {
						parts = append(parts, strings.TrimSpace(m[1]))
					}
				}
				if code := strings.Join(parts, "\n\n"); code != "" {
					language.pin(out).Emit(code)
				}
			}
			remaining := strings.TrimSpace(anyFence.ReplaceAllString(in.Text, ""))
			if remaining = blankLines.ReplaceAllString(remaining, "\n"); remaining != "" {
				out.Remaining.Emit(remaining)
			}
			return nil
		})
}
