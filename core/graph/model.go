package graph

import (
	"github.com/google/uuid"
)

func newID() string { return uuid.NewString() }

// model makes the answer for a graph: nodes with their links, the derived
// schemas and the sub-graphs. Those of an export derive from the nodes as
// exported, so that no schema holds what was left out.
func (s *Service) model(g *Loaded, forExport bool) *Model {
	links := s.links(g.Version, forExport)
	nodes := s.nodes(g.Version, links, forExport)
	m := &Model{
		Meta:                   Meta{Header: g.Header, UserID: g.UserID, CreatedAt: g.CreatedAt},
		Nodes:                  []NodeModel{},
		Links:                  links,
		SubGraphs:              []SubGraph{},
		Derived:                derive(s.registry, nodes),
		CredentialsInputSchema: credentialsSchema(s.registry, g.All()),
	}
	for _, n := range nodes {
		m.Nodes = append(m.Nodes, NodeModel{Node: n, GraphID: g.ID, GraphVersion: g.Header.Version})
	}
	if forExport {
		m.UserID = ""
	}
	for _, sub := range g.SubGraphs {
		links := s.links(sub, forExport)
		nodes := s.nodes(sub, links, forExport)
		m.SubGraphs = append(m.SubGraphs, SubGraph{
			BaseGraph: BaseGraph{Header: sub.Header, Nodes: nodes, Links: links},
			Derived:   derive(s.registry, nodes),
		})
	}
	return m
}

func (s *Service) links(v *Version, forExport bool) []Link {
	if forExport {
		return uniqueLinks(v.Links)
	}
	return append([]Link{}, v.Links...)
}

// nodes gives copies of the nodes with their links filled in.
func (s *Service) nodes(v *Version, links []Link, forExport bool) []Node {
	in, out := map[string][]Link{}, map[string][]Link{}
	for _, l := range links {
		out[l.SourceID] = append(out[l.SourceID], l)
		in[l.SinkID] = append(in[l.SinkID], l)
	}
	nodes := make([]Node, len(v.Nodes))
	for i, n := range v.Nodes {
		if forExport {
			n = stripSecrets(s.registry, n)
		}
		n.InputLinks, n.OutputLinks = append([]Link{}, in[n.ID]...), append([]Link{}, out[n.ID]...)
		nodes[i] = n
	}
	return nodes
}
