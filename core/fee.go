package core

import (
	"fmt"
	"slices"
)

// SystemCost is a price of a run that uses the operator's API key at a provider,
// which has the given id; runs with a user's own key are free. The filter, nil
// for none, names inputs that must have a value besides.
func SystemCost(provider, id string, amount int, filter map[string]any) Cost {
	all := map[string]any{
		"credentials": map[string]any{"id": id, "provider": provider, "type": string(TypeAPIKey)},
	}
	for name, value := range filter {
		all[name] = value
	}
	return Cost{Amount: amount, Filter: all, Type: costPerRun}
}

// costPerRun is the only type of cost: a run has its price whatever it takes.
const costPerRun = "run"

// Fee gives the credits that a run with these inputs costs: the amount of the
// first of the block's costs whose filter matches them, or 0.
//
// What is matched is what the block gets: inputs that are left out or null have
// their defaults, the others their declared types, so that leaving the model out
// or writing true as text does not make a run free. Credentials, given as
// references or opened, are told by their id alone: the rest of a reference is
// only what a client says of it. Otherwise a member of a filter matches an equal
// value, objects match when each member of the filter does, and what is false,
// zero or empty matches all that is, and what is not there.
func (s *BlockSpec) Fee(in Values) int {
	got := map[string]any{}
	for _, c := range s.Costs {
		if s.costApplies(c, in, got) {
			return c.Amount
		}
	}
	return 0
}

// costApplies matches one cost. It keeps the values that it has looked up in got.
func (s *BlockSpec) costApplies(c Cost, in Values, got map[string]any) bool {
	for name, want := range c.Filter {
		value, known := got[name]
		if !known {
			value = s.effective(name, in)
			got[name] = value
		}
		if IsCredentialsName(name) {
			want, value = byID(want), byID(value)
		}
		if !matchesFilter(want, value) {
			return false
		}
	}
	return true
}

// effective gives the value that an input has when the block runs.
func (s *BlockSpec) effective(name string, in Values) any {
	v := in[name]
	if c, ok := v.(Credential); ok {
		return refOf(c)
	}
	f, declared := s.fieldByName[name]
	switch {
	case !declared:
		return v
	case v == nil:
		return f.Default
	case f.Credentials != nil:
		return v
	}
	if c, err := Coerce(f.Schema, v); err == nil {
		return c
	}
	return v
}

// byID reduces a reference of credentials that has an id to that.
func byID(ref any) any {
	if m, ok := ref.(map[string]any); ok && Truthy(m["id"]) {
		return map[string]any{"id": m["id"]}
	}
	return ref
}

func matchesFilter(want, got any) bool {
	w, isObject := want.(map[string]any)
	g, isToo := got.(map[string]any)
	if !isObject || !isToo {
		return !Truthy(want) && !Truthy(got) || sameValue(want, got)
	}
	for name, member := range w {
		if !matchesFilter(member, g[name]) {
			return false
		}
	}
	return true
}

// sameValue compares plain values. True is 1, as in the price lists that clients
// know.
func sameValue(a, b any) bool {
	switch x := a.(type) {
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, sameValue)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for name, v := range x {
			if w, there := y[name]; !there || !sameValue(v, w) {
				return false
			}
		}
		return true
	}
	return equalScalar(zeroOrOne(a), zeroOrOne(b))
}

func zeroOrOne(v any) any {
	switch v {
	case true:
		return 1
	case false:
		return 0
	}
	return v
}

// addBaseCost prices the blocks that use the operator's credential and have no
// costs of their own.
func (p *Provider) addBaseCost() {
	if p.BaseCost <= 0 || len(p.System) == 0 {
		return
	}
	for _, b := range p.Blocks {
		spec := b.Spec()
		if len(spec.Costs) > 0 {
			continue
		}
		for _, f := range spec.inputFields {
			if f.Credentials == nil || !slices.Contains(f.Credentials.Providers, p.Name) {
				continue
			}
			c := SystemCost(p.Name, p.System[0].ID, p.BaseCost, nil)
			if f.Name != "credentials" {
				c.Filter[f.Name] = c.Filter["credentials"]
				delete(c.Filter, "credentials")
			}
			spec.Costs = append(spec.Costs, c)
		}
	}
}

// checkCosts finds costs that could never apply: a slip there gives runs away.
func (s *BlockSpec) checkCosts() error {
	for _, c := range s.Costs {
		if c.Amount <= 0 || c.Type != costPerRun {
			return fmt.Errorf("a cost has the amount %d and the type %q; it must be positive and of type %q", c.Amount, c.Type, costPerRun)
		}
		for _, name := range SortedKeys(c.Filter) {
			f, declared := s.fieldByName[name]
			if !declared {
				return fmt.Errorf("a cost depends on '%s', which is not an input", name)
			}
			if f.Credentials == nil && !satisfies(f.Schema, c.Filter[name]) {
				return fmt.Errorf("a cost depends on '%s' being %s, which it never is", name, brief(c.Filter[name]))
			}
		}
	}
	return nil
}
