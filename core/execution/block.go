package execution

import (
	"context"

	"github.com/google/uuid"

	"agentserver/core"
)

// RunBlock runs one block on its own, outside of a graph, and gives its
// outputs by pin. Credentials are given by reference, as in a graph.
func (s *Service) RunBlock(ctx context.Context, userID string, block core.Block, in core.Values) (map[string][]any, error) {
	spec := block.Spec()
	inputs := in.Clone()
	for _, f := range spec.Fields() {
		ref, _ := inputs[f.Name].(map[string]any)
		id, _ := ref["id"].(string)
		if f.Credentials == nil || id == "" {
			continue
		}
		c, err := s.worker.credentials.Get(ctx, userID, id)
		if err != nil {
			return nil, err
		}
		if c == nil || !accepts(f.Credentials, c) {
			return nil, blockFailure(spec, "Unknown credentials #"+id)
		}
		inputs[f.Name] = c
	}
	services := s.worker.services
	run := &core.Run{
		UserID: userID, GraphExecID: uuid.NewString(), NodeID: uuid.NewString(), NodeExecID: uuid.NewString(),
		Log: s.log, HTTP: services.HTTP(spec.Provider), Dial: services.Dial, Store: services.Store, Models: services.Models, Files: services.files(),
		Stats: &core.Stats{},
	}
	defer services.release(run)
	outputs := map[string][]any{}
	err := core.Execute(ctx, block, run, inputs, func(pin string, value any) error {
		outputs[pin] = append(outputs[pin], value)
		return nil
	})
	return outputs, err
}
