package graph

import (
	"github.com/google/uuid"

	"agentserver/core"
)

// reassign gives every node a new id and maps the links. With newGraph the
// graph and its sub-graphs get new ids too, and agent nodes follow them. Agent
// nodes are made to run as the caller.
func reassign(g *Graph, userID string, newGraph bool) {
	graphIDs := map[string]string{}
	if newGraph {
		for _, b := range allBase(g) {
			fresh := uuid.NewString()
			if b.ID != "" {
				graphIDs[b.ID] = fresh
			}
			b.ID = fresh
		}
	}
	reassignNodes(&g.BaseGraph, userID, graphIDs)
	for i := range g.SubGraphs {
		reassignNodes(&g.SubGraphs[i], userID, graphIDs)
	}
}

func reassignNodes(g *BaseGraph, userID string, graphIDs map[string]string) {
	nodeIDs := map[string]string{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		fresh := uuid.NewString()
		if n.ID != "" {
			nodeIDs[n.ID] = fresh
		}
		n.ID = fresh
		if n.InputDefault == nil {
			n.InputDefault = core.Values{}
		}
		if n.Metadata == nil {
			n.Metadata = core.Values{}
		}
		if n.BlockID == AgentBlockID {
			adoptAgentNode(n.InputDefault, userID, graphIDs)
		}
	}
	for i := range g.Links {
		l := &g.Links[i]
		l.ID = uuid.NewString()
		if id, ok := nodeIDs[l.SourceID]; ok {
			l.SourceID = id
		}
		if id, ok := nodeIDs[l.SinkID]; ok {
			l.SinkID = id
		}
	}
}

func adoptAgentNode(in core.Values, userID string, graphIDs map[string]string) {
	in["user_id"] = userID
	if in["inputs"] == nil {
		in["inputs"] = map[string]any{}
	}
	if old, ok := in["graph_id"].(string); ok {
		if fresh, ok := graphIDs[old]; ok {
			in["graph_id"] = fresh
		}
	}
}
