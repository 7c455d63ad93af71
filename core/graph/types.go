package graph

import (
	"encoding/json"
	"time"

	"agentserver/core"
)

// Ids of the blocks that the engine and the derived schemas treat specially.
const (
	AgentBlockID        = "e189baac-8c20-45a1-94a7-55177ea42565"
	OrchestratorBlockID = "3b191d9f-356f-482d-8238-ba04b6d18381"
	MCPToolBlockID      = "a0a4b1c2-d3e4-4f56-a7b8-c9d0e1f2a3b4"
)

// Link connects an output pin to an input pin.
type Link struct {
	ID         string `json:"id"`
	SourceID   string `json:"source_id" required:"true"`
	SinkID     string `json:"sink_id" required:"true"`
	SourceName string `json:"source_name" required:"true"`
	SinkName   string `json:"sink_name" required:"true"`
	// IsStatic links keep their last value for every later run of the sink.
	IsStatic bool `json:"is_static" default:"false"`
}

// Node is one use of a block in a graph.
type Node struct {
	ID           string      `json:"id"`
	BlockID      string      `json:"block_id" required:"true"`
	InputDefault core.Values `json:"input_default"`
	Metadata     core.Values `json:"metadata"`
	// The links are derived when a graph is read and ignored when it is saved.
	InputLinks  []Link `json:"input_links"`
	OutputLinks []Link `json:"output_links"`

	// webhookID is the webhook that an agent from before there were presets has at
	// its trigger node. It is read from files and not kept: see [Triggers].
	webhookID string
}

// UnmarshalJSON reads a node, and from older files its webhook.
func (n *Node) UnmarshalJSON(data []byte) error {
	type plain Node
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	var old struct {
		WebhookID any `json:"webhook_id"`
	}
	if err := json.Unmarshal(data, &old); err != nil {
		return err
	}
	*n = Node(p)
	n.webhookID, _ = old.WebhookID.(string)
	return nil
}

// NodeModel is a node of a stored graph.
type NodeModel struct {
	Node
	GraphID      string  `json:"graph_id" required:"true"`
	GraphVersion int     `json:"graph_version" required:"true"`
	WebhookID    *string `json:"webhook_id"`
}

// Header is what all forms of a graph have.
type Header struct {
	ID                      string  `json:"id"`
	Version                 int     `json:"version"`
	IsActive                bool    `json:"is_active"`
	Name                    string  `json:"name" required:"true"`
	Description             string  `json:"description" required:"true"`
	Instructions            *string `json:"instructions"`
	RecommendedScheduleCron *string `json:"recommended_schedule_cron"`
	ForkedFromID            *string `json:"forked_from_id"`
	ForkedFromVersion       *int    `json:"forked_from_version"`
}

// BaseGraph is a graph as it is sent to be saved, without sub-graphs.
type BaseGraph struct {
	Header
	Nodes []Node `json:"nodes"`
	Links []Link `json:"links"`
}

// Graph is a graph as it is sent to be saved.
type Graph struct {
	BaseGraph
	SubGraphs []BaseGraph `json:"sub_graphs"`
}

// UnmarshalJSON applies the defaults of an omitted version and activity.
func (g *BaseGraph) UnmarshalJSON(data []byte) error {
	type plain BaseGraph
	p := plain{Header: Header{Version: 1, IsActive: true}}
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*g = BaseGraph(p)
	return nil
}

// UnmarshalJSON applies the defaults of an omitted version and activity.
func (g *Graph) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &g.BaseGraph); err != nil {
		return err
	}
	var sub struct {
		SubGraphs []BaseGraph `json:"sub_graphs"`
	}
	if err := json.Unmarshal(data, &sub); err != nil {
		return err
	}
	g.SubGraphs = sub.SubGraphs
	return nil
}

// Meta is a graph in lists.
type Meta struct {
	Header
	UserID    string    `json:"user_id" required:"true"`
	CreatedAt time.Time `json:"created_at" required:"true"`
}

// Derived are the members computed from a graph's nodes.
type Derived struct {
	InputSchema        json.RawMessage `json:"input_schema" readOnly:"true"`
	OutputSchema       json.RawMessage `json:"output_schema" readOnly:"true"`
	HasExternalTrigger bool            `json:"has_external_trigger" readOnly:"true"`
	HasHumanInTheLoop  bool            `json:"has_human_in_the_loop" readOnly:"true"`
	HasSensitiveAction bool            `json:"has_sensitive_action" readOnly:"true"`
	TriggerSetupInfo   *TriggerInfo    `json:"trigger_setup_info" readOnly:"true"`
}

// TriggerInfo says how to set up the trigger of a graph.
type TriggerInfo struct {
	Provider             string          `json:"provider"`
	ConfigSchema         json.RawMessage `json:"config_schema"`
	CredentialsInputName *string         `json:"credentials_input_name"`
}

// SubGraph is a graph nested in another one's answer.
type SubGraph struct {
	BaseGraph
	Derived
}

// Model is a stored graph with everything derived from it.
type Model struct {
	Meta
	Nodes     []NodeModel `json:"nodes"`
	Links     []Link      `json:"links"`
	SubGraphs []SubGraph  `json:"sub_graphs"`
	Derived
	CredentialsInputSchema json.RawMessage `json:"credentials_input_schema" readOnly:"true"`
}

// Settings are a user's choices for one of their agents.
type Settings struct {
	HumanInTheLoopSafeMode  bool `json:"human_in_the_loop_safe_mode"`
	SensitiveActionSafeMode bool `json:"sensitive_action_safe_mode" default:"false"`
}

// UnmarshalJSON applies the defaults of what is left out.
func (s *Settings) UnmarshalJSON(data []byte) error {
	type plain Settings
	p := plain(DefaultSettings())
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	*s = Settings(p)
	return nil
}

// DefaultSettings apply until a user chooses.
func DefaultSettings() Settings { return Settings{HumanInTheLoopSafeMode: true} }

// Version is a stored version of a graph as the engine works with it: the
// header, the nodes and links, and who owns it. It is shared and must not be
// changed.
type Version struct {
	Header
	UserID    string
	CreatedAt time.Time
	Nodes     []Node
	Links     []Link

	in, out map[string][]Link
	byID    map[string]*Node
}

// Loaded is a version with the graphs that its agent nodes refer to.
type Loaded struct {
	*Version
	SubGraphs []*Version
}

// All gives the graph itself and its sub-graphs.
func (l *Loaded) All() []*Version { return append([]*Version{l.Version}, l.SubGraphs...) }

// index builds the look-ups of a version.
func (v *Version) index() *Version {
	v.in, v.out, v.byID = map[string][]Link{}, map[string][]Link{}, map[string]*Node{}
	for i := range v.Nodes {
		v.byID[v.Nodes[i].ID] = &v.Nodes[i]
	}
	for _, l := range v.Links {
		v.out[l.SourceID] = append(v.out[l.SourceID], l)
		v.in[l.SinkID] = append(v.in[l.SinkID], l)
	}
	return v
}

// Node gives a node by id, or nil.
func (v *Version) Node(id string) *Node { return v.byID[id] }

// Inbound gives the links that end at a node.
func (v *Version) Inbound(nodeID string) []Link { return v.in[nodeID] }

// Outbound gives the links that start at a node.
func (v *Version) Outbound(nodeID string) []Link { return v.out[nodeID] }
