package core

import (
	"context"
)

// reviewed lets a person see what goes into a sensitive block, when the run
// asks for that, and gives the inputs as the person left them. Credentials are
// shown as references and stay what they are.
func reviewed(ctx context.Context, spec *BlockSpec, run *Run, in Values) (Values, error) {
	if !spec.Sensitive || !run.SensitiveSafeMode || run.GraphID == "" || run.DryRun {
		return in, nil
	}
	shown := map[string]any{}
	for k, v := range in {
		shown[k] = v
		if c, ok := v.(Credential); ok {
			shown[k] = refOf(c)
		}
	}
	decision, err := run.Review.Ask(ctx, run, shown, spec.Name, true)
	if err != nil {
		return nil, err
	}
	if !decision.Approved {
		return nil, Errorf(Invalid, "Block execution rejected by reviewer: %s", decision.Message)
	}
	approved, ok := decision.Payload.(map[string]any)
	if !ok {
		return nil, Errorf(Invalid, "Review data must be a dict for block input, got %s", PythonType(decision.Payload))
	}
	out := Values(approved).Clone()
	for k, v := range in {
		if _, isCredential := v.(Credential); isCredential {
			out[k] = v
		}
	}
	for _, f := range spec.Fields() {
		if _, had := in[f.Name].(Credential); f.Credentials != nil && !had {
			delete(out, f.Name)
		}
	}
	return out, nil
}
