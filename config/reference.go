package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

const referenceHead = `# Configuration

<!-- Generated from the settings' declarations; edit those. -->

agentserver starts without any configuration. Every setting below can be given in four ways; the first that has it wins:

1. a command line flag;
2. the environment: the key in upper case, with ` + "`AGENTSERVER_`" + ` before it and ` + "`_`" + ` for each dot, or one of the other variables listed;
3. a YAML file: ` + "`agentserver.yaml`" + ` in the working directory, or the one that ` + "`--config`" + ` or ` + "`AGENTSERVER_CONFIG`" + ` names;
4. the default.

Dots in a key are nesting in the file:

` + "```yaml" + `
listen: 0.0.0.0:8006
database:
  url: postgres://agentserver:secret@db/agentserver
` + "```" + `

Lists are YAML lists in the file; in a variable or flag they are a JSON array, or texts with commas between them. Durations are numbers with a unit (` + "`20s`, `5m`, `1h30m`" + `).
The other variables are the ones that deployments of the AutoGPT Platform already have; they count after the ` + "`AGENTSERVER_`" + ` ones, and not when empty. Names joined by ` + "`+`" + ` are read together.
A key or an ` + "`AGENTSERVER_`" + ` variable that is not listed here is an error. ` + "`agentserver config`" + ` shows each value in force and where it came from, secrets hidden.
` + "`AGENTSERVER_IMPORT_KEY`" + ` is no setting; ` + "`agentserver import credentials`" + ` reads it, and nothing else does.
`

// Reference writes the configuration reference as Markdown, with the settings
// of the given providers ([Options].Providers).
func Reference(providers map[string]any) (string, error) {
	c := &Config{byKey: map[string]*setting{}}
	if err := c.declare(providers); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(referenceHead)
	var section string
	inProvider := false
	for i := range c.settings {
		s := &c.settings[i]
		if s.section != section {
			section = s.section
			level := "##"
			if s.provider != "" {
				level = "###"
			}
			if s.provider != "" && !inProvider {
				inProvider = true
				b.WriteString("\n## Settings of each provider\n")
			}
			fmt.Fprintf(&b, "\n%s %s\n\n| key | type | default | environment | meaning |\n|---|---|---|---|---|\n", level, section)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", s.key, cell(s.typeText()), s.defaultText(), s.variables(), cell(s.doc))
	}
	return b.String(), nil
}

func (f *field) typeText() string {
	names := map[reflect.Type]string{
		reflect.TypeFor[bool]():          "true or false",
		reflect.TypeFor[int]():           "integer",
		reflect.TypeFor[float64]():       "number",
		reflect.TypeFor[time.Duration](): "duration",
	}
	text := names[f.typ]
	switch {
	case len(f.oneOf) > 0:
		return strings.Join(f.oneOf, ", ")
	case f.typ.Kind() == reflect.Slice:
		text = "list"
	case text == "":
		text = "text"
	}
	if f.secret {
		text += ", secret"
	}
	switch {
	case f.min != "" && f.max != "":
		text += ", " + f.min + " to " + f.max
	case f.min != "":
		text += ", at least " + f.min
	case f.max != "":
		text += ", at most " + f.max
	}
	return text
}

func (f *field) defaultText() string {
	if f.fallback == "" {
		return ""
	}
	return "`" + cell(f.fallback) + "`"
}

func (f *field) variables() string {
	names := []string{"`" + f.env() + "`"}
	for _, a := range f.aliases {
		names = append(names, "`"+a.String()+"`")
	}
	return strings.Join(names, ", ")
}

// cell keeps text within its cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text)
}
