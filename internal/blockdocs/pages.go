package blockdocs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agentserver/core"
)

// Example is a run of a block: what went in, and what came out of its pins.
type Example struct {
	Input   any
	Outputs [][2]any
}

// maxExample bounds examples, in characters of JSON; longer ones explain little.
const maxExample = 600

// index is the page that lists all others.
const index = "README.md"

const generated = "<!-- Generated from the blocks; go test . -run TestBlockReference -update writes it anew. -->\n\n"

// Pages gives the reference of the providers' blocks, by file name: an index, and
// a page for each provider, or for each category of one with very many blocks. Example gives a run of a block by its name, or nil.
func Pages(providers []*core.Provider, example func(block string) *Example) map[string]string {
	pages := map[string]string{}
	list := slices.DeleteFunc(slices.Clone(providers), func(p *core.Provider) bool { return len(p.Blocks) == 0 })
	slices.SortFunc(list, func(a, b *core.Provider) int { return cmp.Compare(place(a), place(b)) })
	for _, p := range list {
		for name, page := range providerPages(p, example) {
			pages[name] = page
		}
	}
	pages[index] = indexPage(list)
	return pages
}

// place orders providers by title, the platform's own before all.
func place(p *core.Provider) string {
	if p.Name == core.CoreProvider {
		return ""
	}
	return p.Title
}

func indexPage(providers []*core.Provider) string {
	var b strings.Builder
	b.WriteString(generated + "# Blocks\n\nWhat agents are drawn from. `agentserver blocks list` says which of them can be used on a server, `agentserver blocks show NAME` what one takes and gives, and\n" +
		"`agentserver blocks try NAME --input JSON` runs one.\n\n## By provider\n\n| provider | blocks |\n|---|---|\n")
	type entry struct{ name, link, text string }
	byCategory := map[string][]entry{}
	for _, p := range providers {
		fmt.Fprintf(&b, "| %s | %d |\n", linksTo(p), len(p.Blocks))
		for _, block := range p.Blocks {
			spec := block.Spec()
			for _, c := range spec.Categories {
				e := entry{spec.Name, fmt.Sprintf("[%s](%s#%s)", spec.Name, fileOf(p, spec), strings.ToLower(spec.Name)), firstSentence(spec.Description)}
				byCategory[string(c)] = append(byCategory[string(c)], e)
			}
		}
	}
	b.WriteString("\n## By category\n")
	for _, c := range core.SortedKeys(byCategory) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", strings.ReplaceAll(strings.ToLower(c), "_", " "), core.Category(c).Description())
		list := byCategory[c]
		slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
		for _, e := range list {
			fmt.Fprintf(&b, "- %s: %s\n", e.link, e.text)
		}
	}
	return b.String()
}

func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if at := strings.Index(text, ". "); at >= 0 {
		return text[:at+1]
	}
	return text
}

// manyBlocks is how many blocks one page can have.
const manyBlocks = 60

// fileOf gives the page of a block.
func fileOf(p *core.Provider, spec *core.BlockSpec) string {
	if len(p.Blocks) <= manyBlocks {
		return p.Name + ".md"
	}
	return p.Name + "_" + themeOf(spec) + ".md"
}

// themeOf is the first category of a block.
func themeOf(spec *core.BlockSpec) string {
	if len(spec.Categories) == 0 {
		return "other"
	}
	return strings.ToLower(string(spec.Categories[0]))
}

// linksTo names a provider with links to its pages.
func linksTo(p *core.Provider) string {
	files := map[string]string{}
	for _, block := range p.Blocks {
		files[fileOf(p, block.Spec())] = strings.ReplaceAll(themeOf(block.Spec()), "_", " ")
	}
	if len(files) == 1 {
		return fmt.Sprintf("[%s](%s.md)", p.Title, p.Name)
	}
	var links []string
	for _, file := range core.SortedKeys(files) {
		links = append(links, fmt.Sprintf("[%s](%s)", files[file], file))
	}
	return p.Title + ": " + strings.Join(links, ", ")
}

func providerPages(p *core.Provider, example func(string) *Example) map[string]string {
	specs := make([]*core.BlockSpec, len(p.Blocks))
	for i, block := range p.Blocks {
		specs[i] = block.Spec()
	}
	slices.SortFunc(specs, func(a, b *core.BlockSpec) int { return cmp.Compare(a.Name, b.Name) })
	texts := map[string]*strings.Builder{}
	for _, spec := range specs {
		file := fileOf(p, spec)
		if texts[file] == nil {
			title := p.Title
			if file != p.Name+".md" {
				title += ": " + strings.ReplaceAll(themeOf(spec), "_", " ")
			}
			texts[file] = &strings.Builder{}
			fmt.Fprintf(texts[file], "%s# %s\n", generated, title)
		}
		writeBlock(texts[file], spec, example(spec.Name))
	}
	pages := map[string]string{}
	for file, text := range texts {
		pages[file] = text.String()
	}
	return pages
}

func writeBlock(b *strings.Builder, spec *core.BlockSpec, example *Example) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n", spec.Name, prose(spec.Description))
	fmt.Fprintln(b, strings.Join(append([]string{code(spec.ID)}, Traits(spec)...), "; "))
	if spec.Disabled != "" {
		fmt.Fprintf(b, "\nIt cannot be used: %s.\n", prose(strings.TrimRight(spec.Disabled, ".")))
	}
	writeRows(b, "input", Inputs(spec))
	writeRows(b, "output", Outputs(spec))
	for _, c := range CredentialsOf(spec) {
		fmt.Fprintf(b, "\nCredentials `%s`: %s.\n", c.Input, c)
	}
	for _, fee := range Fees(spec) {
		fmt.Fprintf(b, "\nFee: %s.\n", fee)
	}
	if example != nil {
		writeExample(b, example)
	}
}

// Traits tells what else a reader should know of a block, a few words each.
func Traits(spec *core.BlockSpec) []string {
	var list []string
	if spec.UI != core.UIStandard {
		list = append(list, "kind "+string(spec.UI))
	}
	if spec.Webhook != nil {
		list = append(list, "started by webhooks")
	}
	if spec.Sensitive {
		list = append(list, "asks for review in the sensitive safe mode")
	}
	if spec.Static {
		list = append(list, "its outputs stay for later runs of the next node")
	}
	return list
}

func writeRows(b *strings.Builder, kind string, rows []Row) {
	if len(rows) == 0 {
		return
	}
	if kind == "output" {
		b.WriteString("\n| output | type | meaning |\n|---|---|---|\n")
		for _, r := range rows {
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", r.Name, cell(r.Type), cell(r.Meaning))
		}
		return
	}
	b.WriteString("\n| input | type | default | meaning |\n|---|---|---|---|\n")
	for _, r := range rows {
		fallback := "required"
		switch {
		case r.Required:
		case r.Default == "":
			fallback = ""
		default:
			fallback = code(r.Default)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", r.Name, cell(r.Type), cell(fallback), cell(r.Meaning))
	}
}

// cell is text in a table.
func cell(text string) string {
	return strings.ReplaceAll(prose(strings.Join(strings.Fields(text), " ")), "|", `\|`)
}

// prose keeps what looks like HTML in text outside of code from being taken for
// it.
func prose(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(parts[i])
	}
	return strings.Join(parts, "`")
}

func writeExample(b *strings.Builder, e *Example) {
	var lines []string
	for _, o := range e.Outputs {
		lines = append(lines, quoted(map[string]any{"pin": o[0], "value": o[1]}))
	}
	text := quoted(e.Input) + "\n" + strings.Join(lines, "\n")
	if len([]rune(text)) > maxExample {
		return
	}
	fmt.Fprintf(b, "\nFor example, with\n\n```json\n%s\n```\n\nit gives\n\n```json\n%s\n```\n", quoted(e.Input), strings.Join(lines, "\n"))
}
