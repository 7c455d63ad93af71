package blockdocs

import (
	"strings"

	"agentserver/core"
)

// Row is an input or output of a block.
type Row struct {
	Name string
	// Type says in words what it takes or gives.
	Type     string
	Required bool
	// Default is the JSON of what applies when it is left out, "" for null.
	Default string
	// Advanced inputs are folded away in forms.
	Advanced bool
	Meaning  string
}

// Inputs gives the inputs of a block that are not credentials.
func Inputs(spec *core.BlockSpec) []Row {
	var rows []Row
	for _, f := range spec.Fields() {
		if f.Credentials != nil {
			continue
		}
		advanced, _ := f.Schema.Get("advanced")
		row := Row{
			Name: f.Name, Type: typeText(f.Schema), Required: f.Required, Advanced: advanced == true,
			Meaning: sentence(f.Schema),
		}
		if f.Default != nil {
			row.Default = core.Text(f.Default)
			if _, isText := f.Default.(string); isText {
				row.Default = quoted(f.Default)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// Outputs gives the outputs of a block, its error last.
func Outputs(spec *core.BlockSpec) []Row {
	props := spec.Output.Object("properties")
	var rows, failure []Row
	for _, name := range props.Keys() {
		schema := props.Object(name)
		row := Row{Name: name, Type: typeText(schema), Meaning: sentence(schema)}
		if name == "error" {
			failure = append(failure, row)
			continue
		}
		rows = append(rows, row)
	}
	return append(rows, failure...)
}

// Credentials is an input that takes credentials.
type Credentials struct {
	Input     string
	Providers []string
	Types     []string
	Scopes    []string
	Optional  bool
	// By names the input that chooses the provider, or the host, if one does.
	By      string
	Meaning string
}

// CredentialsOf gives the inputs of a block that take credentials.
func CredentialsOf(spec *core.BlockSpec) []Credentials {
	var list []Credentials
	for _, f := range spec.Fields() {
		if f.Credentials == nil {
			continue
		}
		c := Credentials{
			Input: f.Name, Providers: f.Credentials.Providers, Scopes: f.Credentials.Scopes,
			Optional: !f.Required, By: f.Credentials.Discriminator, Meaning: f.Credentials.Description,
		}
		for _, t := range f.Credentials.Types {
			c.Types = append(c.Types, string(t))
		}
		list = append(list, c)
	}
	return list
}

// sentence gives the description of a schema, which has no full stop.
func sentence(s *core.Object) string { return strings.TrimRight(s.Text("description"), ".") }

// quoted is the JSON of a value.
func quoted(v any) string {
	data, err := core.JSON(v)
	if err != nil {
		return core.Text(v)
	}
	return string(data)
}

// maxCode bounds values in tables, in characters.
const maxCode = 80

// code is a value between backticks.
func code(v any) string {
	text := core.Text(v)
	if text == "" {
		text = `""`
	}
	if letters := []rune(text); len(letters) > maxCode {
		text = string(letters[:maxCode]) + "…"
	}
	return "`" + text + "`"
}

// String says in a sentence what is taken, with names between backticks.
func (c Credentials) String() string {
	var b strings.Builder
	b.WriteString(joined(c.Types, " or "))
	switch {
	case len(c.Providers) == 1:
		b.WriteString(" of " + code(c.Providers[0]))
	case c.By != "":
		b.WriteString(" of the provider that `" + c.By + "` chooses: " + joined(c.Providers, ", "))
	default:
		b.WriteString(" of one of " + joined(c.Providers, ", "))
	}
	if c.By != "" && len(c.Providers) == 1 {
		b.WriteString(", for the host of `" + c.By + "`")
	}
	if len(c.Scopes) > 0 {
		b.WriteString(", with the scopes " + joined(c.Scopes, ", "))
	}
	if c.Optional {
		b.WriteString("; optional")
	}
	return b.String()
}

func joined(names []string, by string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = code(n)
	}
	return strings.Join(quoted, by)
}
