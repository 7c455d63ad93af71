package execution

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/graph"
)

// maxDepth bounds how deep agents may nest, which ends agents that call
// themselves.
const maxDepth = 20

// StartRequest asks for a run.
type StartRequest struct {
	UserID       string
	GraphID      string
	GraphVersion int // 0 is the highest
	Inputs       core.Values
	Credentials  map[string]core.CredentialRef
	// Masks are values laid over nodes' own, by node id.
	Masks    map[string]core.Values
	PresetID string
	DryRun   bool
	// Timezone is the user's, "UTC" when they have not chosen.
	Timezone string
	// RunID, when set, is the id of the run. Of several requests with the same
	// one, the first starts the run and the others get it.
	RunID string

	// What follows is set for runs that a node of another run starts.
	id     string
	parent *runRow
	call   string
}

// Start validates and starts a run. When it returns, the run is committed: it
// will reach an end even if this process dies at once.
func (s *Service) Start(ctx context.Context, req StartRequest) (*Meta, error) {
	if req.RunID != "" {
		req.id = req.RunID
		if meta, err := s.find(ctx, req.UserID, req.RunID, true); meta != nil || err != nil {
			return meta, err
		}
	}
	row, err := s.start(ctx, req)
	if err != nil && req.RunID != "" {
		// Another process may have been faster.
		if meta, _ := s.find(ctx, req.UserID, req.RunID, true); meta != nil {
			return meta, nil
		}
	}
	if err != nil {
		s.metrics.started(err)
		return nil, err
	}
	s.metrics.started(nil)
	meta := row.meta()
	return &meta, nil
}

func (s *Service) start(ctx context.Context, req StartRequest) (*runRow, error) {
	g, err := s.graphs.Load(ctx, req.GraphID, req.GraphVersion)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, core.Errorf(core.Invalid, "Graph #%s not found.", req.GraphID)
	}
	entry, err := s.library.Entry(ctx, req.UserID, g.ID, g.Header.Version)
	if err != nil {
		return nil, err
	}
	if err := mayRun(req, g, entry); err != nil {
		return nil, err
	}
	masks, err := masksOf(s.worker.registry, g, req.Credentials, req.Masks)
	if err != nil {
		return nil, err
	}
	if err := s.validate(ctx, req, g, masks); err != nil {
		return nil, err
	}
	plans, err := buildPlans(s.worker.registry, g.Version, masks)
	if err != nil {
		return nil, err
	}
	m := newMachine(plans, req.DryRun, s.worker.config.MaxNodeRuns)
	if err := startNodes(m, g.Version, req); err != nil {
		return nil, err
	}
	row := newRow(req, g, entry.Settings)
	return row, s.create(ctx, row, req.parent, m)
}

// mayRun says whether the user may run the graph: what they own and have in
// their library, what is in their library in that very version, or, for nested
// runs, what they own.
func mayRun(req StartRequest, g *graph.Loaded, entry graph.Entry) error {
	owner := g.UserID == req.UserID
	nested := req.parent != nil
	switch {
	case entry.Exact, owner && (entry.Some || nested):
		return nil
	case owner:
		return core.Errorf(core.Forbidden, "Graph #%s is not in your library", g.ID)
	}
	return core.Errorf(core.Forbidden, "You do not have access to graph #%s v%d: it is not owned by you, not in your library, and not available in the Marketplace",
		g.ID, g.Header.Version)
}

// validate checks the graph, its sub-graphs and the credentials of its nodes.
func (s *Service) validate(ctx context.Context, req StartRequest, g *graph.Loaded, masks map[string]core.Values) error {
	v := s.graphs.Validator()
	faults := graph.NodeErrors{}
	for _, part := range g.All() {
		if err := v.Structure(part.Nodes, append([]graph.Link(nil), part.Links...)); err != nil {
			return err
		}
		faults.Merge(v.Nodes(part, true, masks))
	}
	if !req.DryRun {
		if err := s.checkCredentials(ctx, req.UserID, g.Version, masks, faults); err != nil {
			return err
		}
	}
	return faults.Err()
}

// checkCredentials finds nodes whose credentials are missing, unknown or of
// another kind. Its error is of what may pass by itself.
func (s *Service) checkCredentials(ctx context.Context, userID string, g *graph.Version, masks map[string]core.Values, faults graph.NodeErrors) error {
	for i := range g.Nodes {
		node := &g.Nodes[i]
		block, known := s.worker.registry.Block(node.BlockID)
		if !known {
			continue
		}
		optional, _ := node.Metadata["credentials_optional"].(bool)
		for _, f := range block.Spec().Fields() {
			if f.Credentials == nil {
				continue
			}
			optional := optional || !f.Required
			value := masks[node.ID][f.Name]
			if value == nil && !optional {
				value = node.InputDefault[f.Name]
			}
			message, err := s.credentialFault(ctx, userID, f.Credentials, value, optional)
			if err != nil {
				return err
			}
			if message != "" {
				faults.Add(node.ID, f.Name, message)
			}
		}
	}
	return nil
}

// credentialFault says what is wrong with a credentials value, or "".
func (s *Service) credentialFault(
	ctx context.Context, userID string, field *core.CredentialsField, value any, optional bool,
) (string, error) {
	ref, isObject := value.(map[string]any)
	id, _ := ref["id"].(string)
	if id == "" {
		switch {
		case value != nil && !isObject:
			return "Invalid credentials: an object with id, provider and type is expected", nil
		case optional:
			return "", nil
		}
		return "These credentials are required", nil
	}
	c, err := s.worker.credentials.Get(ctx, userID, id)
	switch {
	case err != nil && (core.KindOf(err) == core.Unavailable || core.KindOf(err) == core.Internal):
		return "", err
	case err != nil:
		return "Credentials not available: " + err.Error(), nil //nolint:nilerr // it is the fault that users are told
	case c == nil:
		return "Unknown credentials #" + id, nil
	}
	provider, _ := ref["provider"].(string)
	kind, _ := ref["type"].(string)
	if normalProvider(provider) != c.Base().Provider || core.CredentialType(kind) != c.Type() || !accepts(field, c) {
		return "Invalid credentials: type/provider mismatch", nil
	}
	return "", nil
}

// normalProvider reads the form in which older agents store a provider.
func normalProvider(stored string) string {
	if name, ok := strings.CutPrefix(stored, "ProviderName."); ok {
		return strings.ToLower(name)
	}
	return stored
}

func accepts(field *core.CredentialsField, c core.Credential) bool {
	provider, kind := false, false
	for _, p := range field.Providers {
		provider = provider || p == c.Base().Provider
	}
	for _, t := range field.Types {
		kind = kind || t == c.Type()
	}
	return provider && kind
}

// startNodes queues the nodes that a run begins with: inputs, and nodes
// without inbound links.
func startNodes(m *machine, g *graph.Version, req StartRequest) error {
	for i := range g.Nodes {
		node := &g.Nodes[i]
		plan := m.nodes[node.ID].plan
		if plan.spec.UI == core.UINote || len(plan.in) > 0 && plan.spec.UI != core.UIInput {
			continue
		}
		var received []pin
		if plan.spec.UI == core.UIInput {
			name, _ := node.InputDefault["name"].(string)
			if value, given := req.Inputs[name]; given {
				received = append(received, pin{"value", value})
			}
		}
		if err := checkTrigger(plan); err != nil {
			return err
		}
		input, err := plan.prepare(received, req.DryRun)
		if err != nil {
			return err
		}
		r := m.newRun(plan)
		r.pins = received
		m.queue(r, input)
	}
	if len(m.ready) == 0 {
		return core.Errorf(core.Invalid, "No starting nodes found for the graph, make sure an AgentInput or blocks with no inbound links are present as starting nodes.")
	}
	return nil
}

func checkTrigger(plan *nodePlan) error {
	if plan.spec.UI != core.UIWebhook && plan.spec.UI != core.UIWebhookManual {
		return nil
	}
	if payload := plan.mask["payload"]; payload != nil {
		return nil
	}
	return core.Errorf(core.Invalid, "This agent is triggered by an external event (webhook) and cannot be executed directly. Please use the appropriate trigger to run this agent.")
}

func newRow(req StartRequest, g *graph.Loaded, settings graph.Settings) *runRow {
	if req.Inputs == nil {
		req.Inputs = core.Values{}
	}
	row := &runRow{
		ID: orNew(req.id), UserID: req.UserID, GraphID: g.ID, GraphVersion: g.Header.Version, Status: Queued,
		Inputs: db.AsJSON(req.Inputs), CredentialInputs: db.AsJSON(req.Credentials),
		NodesInputMasks: db.AsJSON(req.Masks), IsDryRun: req.DryRun, CreatedAt: db.Now(),
		Context: db.AsJSON(runContext{
			Timezone: zone(req.Timezone), ReviewSafeMode: settings.HumanInTheLoopSafeMode,
			SensitiveSafeMode: settings.SensitiveActionSafeMode, Call: req.call,
		}),
	}
	if req.PresetID != "" {
		row.PresetID = &req.PresetID
	}
	if req.DryRun {
		row.Stats = db.AsJSON(&Stats{})
	}
	root := row.ID
	if p := req.parent; p != nil {
		row.ParentID, row.Depth = &p.ID, p.Depth+1
		root = deref(p.RootID)
		row.Context.V = p.Context.V
		row.Context.V.Call = req.call
	}
	row.RootID = &root
	return row
}

func orNew(id string) string {
	if id == "" {
		return newID()
	}
	return id
}

// zone gives the name of a time zone, or UTC for what is not one.
func zone(name string) string { return location(name).String() }

// create commits a new run with its first nodes. If this process has room, it
// becomes the owner at once; else the run waits in the queue.
func (s *Service) create(ctx context.Context, row, parent *runRow, m *machine) error {
	w := s.worker
	direct := w.direct(ctx, row)
	if direct {
		row.WorkerID = &w.id
	}
	// Fences begin anywhere: of two that create a nested run at once, only the
	// one whose row is there may go on.
	row.Fence = rand.Int64N(1 << 40) //nolint:gosec // tells owners apart, keeps no secret
	r := &runner{row: row, m: m}
	e := r.step()
	e.create, e.enqueue = row, !direct
	if parent != nil {
		e.parent, e.parentFence = parent.ID, parent.Fence
	}
	done := make(chan error, 1)
	e.committed = func(err error) { done <- err }
	w.journal.submit(e)
	if err := <-done; err != nil {
		if direct {
			w.leave(row)
		}
		if errors.Is(err, errFenced) {
			return core.Errorf(core.Conflict, "the run that starts this one has ended")
		}
		return fmt.Errorf("starting run: %w", err)
	}
	if direct {
		w.launch(row, func(fresh *runner) error {
			fresh.m, fresh.launchable = m, r.committing
			return nil
		})
	}
	return nil
}
