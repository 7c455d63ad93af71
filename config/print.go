package config

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"agentserver/core"
)

// Print writes the effective configuration as YAML that could serve as a
// configuration file, but for secrets, which are shown as asterisks. A comment
// at the end of each line says where the value came from.
func (c *Config) Print(w io.Writer) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for i := range c.settings {
		s := &c.settings[i]
		path := strings.Split(s.key, ".")
		at := root
		for _, name := range path[:len(path)-1] {
			at = section(at, name)
		}
		value, err := s.node(c.effective(s))
		if err != nil {
			return fmt.Errorf("printing %s: %w", s.key, err)
		}
		at.Content = append(at.Content, scalar(path[len(path)-1]), value)
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return fmt.Errorf("printing the configuration: %w", err)
	}
	return e.Close()
}

// section gives the mapping under a name, made when it is not there.
func section(in *yaml.Node, name string) *yaml.Node {
	for i := 0; i < len(in.Content); i += 2 {
		if in.Content[i].Value == name {
			return in.Content[i+1]
		}
	}
	m := &yaml.Node{Kind: yaml.MappingNode}
	in.Content = append(in.Content, scalar(name), m)
	return m
}

func scalar(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }

// effective gives the value in force; validation may have tidied ours.
func (c *Config) effective(s *setting) any {
	if s.provider != "" {
		return s.value
	}
	return reflect.ValueOf(c).Elem().FieldByIndex(s.index).Interface()
}

// node renders a value as it would stand in a file.
func (s *setting) node(value any) (*yaml.Node, error) {
	n := &yaml.Node{}
	if err := n.Encode(printable(value, s.secret)); err != nil {
		return nil, err
	}
	if n.Kind == yaml.SequenceNode {
		n.Style = yaml.FlowStyle
	}
	n.LineComment = string(s.source)
	return n, nil
}

// printable hides secrets, and gives durations and lists their form in a file.
func printable(value any, secret bool) any {
	switch v := value.(type) {
	case time.Duration:
		return shortDuration(v)
	case core.Secret:
		return v.String()
	case []core.Secret:
		list := make([]string, len(v))
		for i := range v {
			list[i] = v[i].String()
		}
		return list
	case string:
		if secret {
			return core.Secret(v).String()
		}
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice && v.IsNil() {
		return []string{}
	}
	return value
}

// shortDuration writes 2m for 2m0s and 1h for 1h0m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
