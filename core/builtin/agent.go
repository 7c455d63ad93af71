package builtin

import (
	"context"

	"agentserver/core"
)

type agentCallInput struct {
	UserID       string                 `json:"user_id" doc:"User that the agent runs for"`
	GraphID      string                 `json:"graph_id" doc:"Agent that is run"`
	GraphVersion int                    `json:"graph_version" doc:"Version of the agent"`
	AgentName    *string                `json:"agent_name" doc:"Name of the agent, for people"`
	Inputs       map[string]any         `json:"inputs" doc:"Inputs of the agent, by name"`
	InputSchema  map[string]any         `json:"input_schema" doc:"What the agent takes"`
	OutputSchema map[string]any         `json:"output_schema" doc:"What the agent gives"`
	Masks        map[string]core.Values `json:"nodes_input_masks" type:"map<object> | null" default:"null" hidden:"true" doc:"Values laid over those of the agent's nodes"`
}

// agentExecutor runs another agent as one node. Its pins are the inputs and
// outputs of that agent.
var agentExecutor = core.NewDynamicBlock(core.BlockSpec{
	ID: "e189baac-8c20-45a1-94a7-55177ea42565", Name: "AgentExecutorBlock",
	Description: "Runs another agent and passes on what it gives.",
	Categories:  []core.Category{core.CategoryAgent}, UI: core.UIAgent, ErrorPin: core.ErrorPinNone,
}, func(ctx context.Context, run *core.Run, in *agentCallInput, emit core.Emit) error {
	return run.Agents.RunAgent(ctx, run, core.AgentCall{
		GraphID: in.GraphID, GraphVersion: in.GraphVersion, Inputs: in.Inputs, Masks: in.Masks,
	}, emit)
})
