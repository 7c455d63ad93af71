package core

// Coerce brings every declared input that is present and not null to its
// type. Inputs that are not declared stay as they are.
func (s *BlockSpec) Coerce(in Values) (Values, error) {
	out := in.Clone()
	for _, f := range s.inputFields {
		v, given := out[f.Name]
		if !given || v == nil || f.Credentials != nil {
			continue
		}
		c, err := Coerce(f.Schema, v)
		if err != nil {
			return nil, err
		}
		out[f.Name] = c
	}
	return out, nil
}

// Missing names the required inputs that are absent, in order.
func (s *BlockSpec) Missing(in Values) []string {
	var names []string
	for _, f := range s.inputFields {
		if _, given := in[f.Name]; f.Required && !given {
			names = append(names, f.Name)
		}
	}
	return names
}

// ValidateInput checks inputs without their null values against the schema.
func (s *BlockSpec) ValidateInput(in Values) error {
	plain := make(map[string]any, len(in))
	for k, v := range in {
		if v != nil {
			plain[k] = v
		}
	}
	return s.inputCheck.Validate(plain)
}
