package graph

import (
	"encoding/json"
	"net/url"
	"slices"
	"sort"
	"strings"

	"agentserver/core"
)

// CredentialsInput is one credential that a user gives for a whole agent. It
// serves every node whose field takes the same providers and types.
type CredentialsInput struct {
	Key      string
	Field    core.CredentialsField
	Values   []string // of the discriminator
	Required bool
	Members  []CredentialsMember
	display  string
}

// CredentialsMember is a field that a credentials input fills.
type CredentialsMember struct{ NodeID, Field string }

// CredentialsInputs collects the credentials inputs of a graph and its
// sub-graphs, in the order of their keys. A node whose model is not known is
// an error.
func CredentialsInputs(registry *core.Registry, graphs []*Version) ([]*CredentialsInput, error) {
	byKey := map[string]*CredentialsInput{}
	for _, g := range graphs {
		for i := range g.Nodes {
			node := &g.Nodes[i]
			block, known := registry.Block(node.BlockID)
			if !known {
				continue
			}
			if err := collectCredentials(byKey, block.Spec(), node); err != nil {
				return nil, err
			}
		}
	}
	list := make([]*CredentialsInput, 0, len(byKey))
	for _, key := range core.SortedKeys(byKey) {
		list = append(list, byKey[key])
	}
	return list, nil
}

func collectCredentials(byKey map[string]*CredentialsInput, spec *core.BlockSpec, node *Node) error {
	optional, _ := node.Metadata["credentials_optional"].(bool)
	required := false
	for _, f := range spec.Fields() {
		required = required || f.Credentials != nil && f.Required
	}
	for _, f := range spec.Fields() {
		field, name := f.Credentials, f.Name
		if field == nil {
			if field, name = autoCredentials(f); field == nil {
				continue
			}
		}
		narrowed, values, hosts, err := narrow(*field, node)
		if err != nil {
			return err
		}
		key := credentialsKey(narrowed, hosts)
		in := byKey[key]
		if in == nil {
			in = &CredentialsInput{Key: key, Field: narrowed}
			in.Field.Scopes = nil
			in.display = strings.Join(hosts, ", ")
			byKey[key] = in
		}
		in.Field.Scopes = union(in.Field.Scopes, narrowed.Scopes)
		in.Values = union(in.Values, values)
		in.Required = in.Required || required && !optional
		in.Members = append(in.Members, CredentialsMember{node.ID, name})
	}
	return nil
}

// narrow applies the discriminator's value in the node: it selects one
// provider, or names a host.
func narrow(f core.CredentialsField, node *Node) (field core.CredentialsField, values, hosts []string, err error) {
	value := node.InputDefault[f.Discriminator]
	if f.Discriminator == "" || value == nil {
		return f, nil, nil, nil
	}
	text, _ := value.(string)
	if len(f.Mapping) > 0 {
		provider, known := f.Mapping[text]
		if !known {
			if _, short, ok := strings.Cut(text, "/"); ok {
				provider, known = f.Mapping[short]
			}
		}
		if !known {
			return f, nil, nil, core.Errorf(core.Invalid,
				"Model '%s' is not supported. It may have been deprecated. Please update your agent configuration.", text)
		}
		f.Providers = []string{provider}
		return f, []string{text}, nil, nil
	}
	if u, parseErr := url.Parse(text); parseErr == nil && u.Host != "" {
		hosts = []string{u.Host}
	}
	return f, []string{text}, hosts, nil
}

func credentialsKey(f core.CredentialsField, hosts []string) string {
	providers := slices.Clone(f.Providers)
	if len(hosts) > 0 {
		providers = append(providers[:1:1], hosts...)
	}
	types := make([]string, len(f.Types))
	for i, t := range f.Types {
		types[i] = string(t)
	}
	sort.Strings(providers)
	sort.Strings(types)
	return strings.Join(providers, "-") + "_" + strings.Join(types, "-") + "_credentials"
}

// autoCredentials gives the credentials that a file picker field needs beside
// its own value, with the name under which they are passed.
func autoCredentials(f *core.InputField) (*core.CredentialsField, string) {
	auto := f.Schema.Object("auto_credentials")
	if auto == nil {
		return nil, ""
	}
	field := &core.CredentialsField{
		Providers: []string{orElse(auto.Text("provider"), "google")},
		Types:     []core.CredentialType{core.CredentialType(orElse(auto.Text("type"), string(core.TypeOAuth2)))},
	}
	scopes, _ := auto.Get("scopes")
	list, _ := scopes.([]any)
	for _, s := range list {
		if text, ok := s.(string); ok {
			field.Scopes = append(field.Scopes, text)
		}
	}
	return field, orElse(auto.Text("kwarg_name"), "credentials")
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}

// credentialsSchema is the form for all credentials of a graph. When a model
// is not known any more, the form is empty: the graph stays readable and a run
// says what is wrong.
func credentialsSchema(registry *core.Registry, graphs []*Version) json.RawMessage {
	inputs, err := CredentialsInputs(registry, graphs)
	if err != nil {
		inputs = nil
	}
	props, required := core.NewObject(), []string{}
	for _, in := range inputs {
		s := core.CredentialsSchema(registry.Offered(in.Field), in.Values)
		s.Delete("description")
		if in.display != "" {
			s.Set("display_name", in.display)
		}
		props.Set(in.Key, s)
		if in.Required {
			required = append(required, in.Key)
		}
	}
	return encode(core.NewObject("type", "object", "properties", props, "required", required))
}
