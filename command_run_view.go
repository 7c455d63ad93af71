package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"agentserver/core"
	"agentserver/core/execution"
	"agentserver/core/graph"
)

// agentRun imports an agent, runs it and follows the run.
type agentRun struct {
	client   *apiClient
	view     *runView
	registry *core.Registry
	model    graph.Model
	form     credentialsForm
}

// credentialsForm is the part of the credentials schema that matters here.
type credentialsForm struct {
	Properties map[string]struct {
		Providers []string `json:"credentials_provider"`
		Types     []string `json:"credentials_types"`
	} `json:"properties"`
	Required []string `json:"required"`
}

func (r *agentRun) do(ctx context.Context, agent json.RawMessage, inputs core.Values, timeout time.Duration) error {
	body := map[string]any{"graph": agent, "source": "upload"}
	if err := r.client.call(ctx, http.MethodPost, "/api/graphs", body, &r.model); err != nil {
		return fmt.Errorf("the agent cannot be imported: %w", err)
	}
	if err := json.Unmarshal(r.model.CredentialsInputSchema, &r.form); err != nil {
		return err
	}
	if err := r.checkInputs(inputs); err != nil {
		return err
	}
	r.view.started(&r.model)
	var meta execution.Meta
	path := fmt.Sprintf("/api/graphs/%s/execute/%d", r.model.ID, r.model.Header.Version)
	start := map[string]any{"inputs": inputs, "credentials_inputs": r.credentials()}
	if err := r.client.call(ctx, http.MethodPost, path, start, &meta); err != nil {
		return r.explain(err)
	}
	return r.follow(ctx, meta.ID, timeout)
}

// checkInputs refuses inputs that the agent does not have.
func (r *agentRun) checkInputs(inputs core.Values) error {
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(r.model.InputSchema, &schema); err != nil {
		return err
	}
	for name := range inputs {
		if _, ok := schema.Properties[name]; !ok {
			return core.Errorf(core.Invalid, "the agent has no input %q; it has: %s", name, orNone(core.SortedKeys(schema.Properties)))
		}
	}
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// credentials picks the operator's credential for each input that one fits.
func (r *agentRun) credentials() map[string]core.CredentialRef {
	refs := map[string]core.CredentialRef{}
	for key, field := range r.form.Properties {
		for _, p := range r.registry.Providers() {
			for _, s := range p.System {
				if slices.Contains(field.Providers, p.Name) && len(field.Types) > 0 {
					title := s.Title
					refs[key] = core.CredentialRef{ID: s.ID, Provider: p.Name, Type: core.CredentialType(field.Types[0]), Title: &title}
				}
			}
		}
	}
	return refs
}

// explain words a refused start: which node lacks what.
func (r *agentRun) explain(err error) error {
	var refused *apiError
	if !errors.As(err, &refused) || len(refused.nodeErrors) == 0 {
		return err
	}
	lines := []string{refused.message}
	for _, n := range r.model.Nodes {
		for _, field := range core.SortedKeys(refused.nodeErrors[n.ID]) {
			lines = append(lines, fmt.Sprintf("  %s, %s: %s%s", r.blockName(n.BlockID), field, refused.nodeErrors[n.ID][field], r.credentialsHint(n.BlockID, n.InputDefault, field)))
		}
	}
	return errors.New(strings.Join(lines, "\n"))
}

func (r *agentRun) blockName(id string) string {
	if b, ok := r.registry.Block(id); ok {
		return b.Spec().Name
	}
	return id
}

// credentialsHint says which credentials a field takes.
func (r *agentRun) credentialsHint(blockID string, in core.Values, field string) string {
	b, ok := r.registry.Block(blockID)
	if !ok {
		return ""
	}
	f, ok := b.Spec().Field(field)
	if !ok || f.Credentials == nil {
		return ""
	}
	providers := f.Credentials.Providers
	if value, ok := in[f.Credentials.Discriminator].(string); ok && f.Credentials.Mapping[value] != "" {
		providers = []string{f.Credentials.Mapping[value]}
	}
	types := make([]string, len(f.Credentials.Types))
	for i, t := range f.Credentials.Types {
		types[i] = string(t)
	}
	return fmt.Sprintf(" (%s, %s; `agentserver providers` says where the operator sets them)", strings.Join(providers, " or "), strings.Join(types, " or "))
}

// follow shows the run until its end.
func (r *agentRun) follow(ctx context.Context, id string, timeout time.Duration) error {
	path := fmt.Sprintf("/api/graphs/%s/executions/%s", r.model.ID, id)
	var deadline <-chan time.Time
	if timeout > 0 {
		deadline = time.After(timeout)
	}
	for {
		var run execution.WithNodes
		if err := r.client.call(context.WithoutCancel(ctx), http.MethodGet, path, nil, &run); err != nil {
			return err
		}
		r.view.progress(&run, r.blockName)
		if run.Status.Final() {
			return r.view.finished(&run)
		}
		select {
		case <-time.After(100 * time.Millisecond):
			continue
		case <-ctx.Done():
		case <-deadline:
		}
		if err := r.client.call(context.WithoutCancel(ctx), http.MethodPost, path+"/stop", nil, nil); err != nil {
			return fmt.Errorf("stopping the run: %w", err)
		}
		ctx, deadline = context.WithoutCancel(ctx), nil
	}
}

// runView shows a run: nodes on one stream, outputs on the other.
type runView struct {
	out, progressOut io.Writer
	asJSON           bool
	terminal         bool
	shown            map[string]execution.Status
}

func newRunView(out io.Writer, progress *os.File, asJSON bool) *runView {
	return &runView{out: out, progressOut: progress, asJSON: asJSON, terminal: isTerminal(progress), shown: map[string]execution.Status{}}
}

func (v *runView) emit(event map[string]any) {
	data, err := core.JSON(event)
	if err == nil {
		fmt.Fprintln(v.out, string(data))
	}
}

func (v *runView) started(m *graph.Model) {
	if v.asJSON {
		v.emit(map[string]any{"event": "started", "graph_id": m.ID, "version": m.Header.Version, "name": m.Name})
		return
	}
	fmt.Fprintf(v.progressOut, "%s (%d nodes)\n", m.Name, len(m.Nodes))
}

// marks are how states show.
var marks = map[execution.Status]struct{ sign, color string }{
	execution.Incomplete: {"·", "2"}, execution.Queued: {"·", "2"}, execution.Running: {"▶", "36"},
	execution.Completed: {"✓", "32"}, execution.Failed: {"✗", "31"}, execution.Terminated: {"■", "33"}, execution.Review: {"?", "33"},
}

// progress shows the nodes whose state changed since the last look.
func (v *runView) progress(run *execution.WithNodes, name func(string) string) {
	for _, n := range run.NodeExecutions {
		if v.shown[n.NodeExecID] == n.Status || n.Status == execution.Incomplete || n.Status == execution.Queued {
			continue
		}
		v.shown[n.NodeExecID] = n.Status
		if v.asJSON {
			v.emit(map[string]any{
				"event": "node", "node_id": n.NodeID, "node_exec_id": n.NodeExecID, "block": name(n.BlockID),
				"status": n.Status, "outputs": n.OutputData,
			})
			continue
		}
		line := fmt.Sprintf("%s %-10s %s", marks[n.Status].sign, n.Status, name(n.BlockID))
		if n.StartTime != nil && n.EndTime != nil {
			line += fmt.Sprintf(" (%s)", n.EndTime.Sub(*n.StartTime))
		}
		if errs := n.OutputData["error"]; n.Status == execution.Failed && len(errs) > 0 {
			line += fmt.Sprintf(": %v", errs[0])
		}
		if v.terminal {
			line = "\x1b[" + marks[n.Status].color + "m" + line + "\x1b[0m"
		}
		fmt.Fprintln(v.progressOut, "  "+line)
	}
}

// finished prints the outputs; the error says why the run is no success.
func (v *runView) finished(run *execution.WithNodes) error {
	if v.asJSON {
		v.emit(map[string]any{"event": "finished", "status": run.Status, "outputs": run.Outputs, "stats": run.Stats})
	} else {
		for _, name := range core.SortedKeys(run.Outputs) {
			for _, value := range run.Outputs[name] {
				fmt.Fprintf(v.out, "%s: %s\n", name, text(value))
			}
		}
	}
	switch {
	case run.Status != execution.Completed:
		reason := ""
		if run.Stats != nil && run.Stats.Error != nil {
			reason = ": " + *run.Stats.Error
		}
		return fmt.Errorf("the run ended as %s%s", run.Status, reason)
	case run.Stats != nil && run.Stats.NodeErrorCount > 0:
		return fmt.Errorf("%d node(s) failed%s", run.Stats.NodeErrorCount, failures(run))
	}
	return nil
}

func failures(run *execution.WithNodes) string {
	for _, n := range run.NodeExecutions {
		if errs := n.OutputData["error"]; n.Status == execution.Failed && len(errs) > 0 {
			return ": " + text(errs[0])
		}
	}
	return ""
}

func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := core.JSON(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
