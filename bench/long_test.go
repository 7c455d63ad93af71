package bench

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Blocks of the agents that are measured.
const (
	storeBlock     = "1ff065e9-88e8-4358-9d82-8dc91f622ba9"
	calcBlock      = "b1ab9b19-67a6-406d-abf5-2dba76d00c79"
	conditionBlock = "715696a0-e1da-45c8-b209-c2fa9c3b0be6"
	stepBlock      = "f66a3543-28d3-4ab5-8945-9b336371e2ce"
	fillBlock      = "db7d8f02-2f44-4c55-ab7a-eae0941f0c30"
	outputBlock    = "363ae599-353e-4804-937e-b2ee3cef3da4"
)

// BenchmarkLong measures one long run in a server process of its own: how many
// node runs it completes and records in a second, and the most memory that the
// process had.
func BenchmarkLong(b *testing.B) {
	const rounds, items = 50_000, 10_000
	list := make([]any, items)
	for i := range list {
		list[i] = i
	}
	for _, c := range []struct {
		name  string
		steps int
		agent map[string]any
	}{
		// A node that adds one and a node that looks whether it is enough.
		{"loop", 2*rounds + 2, drawn([]any{
			node("start", storeBlock, map[string]any{"input": 0}),
			node("add", calcBlock, map[string]any{"operation": "Add", "b": 1}),
			node("enough", conditionBlock, map[string]any{"operator": "<", "value2": rounds}),
			node("out", outputBlock, map[string]any{"name": "out"}),
		}, "start.output>add.a", "add.result>enough.value1", "enough.yes_output>add.a", "enough.no_output>out.value")},
		// Each item through two nodes.
		{"fan-out", 2*items + 1, drawn([]any{
			node("items", stepBlock, map[string]any{"items": list}),
			node("fill", fillBlock, map[string]any{"format": "item {{ n }}", "values": map[string]any{}}),
			node("out", outputBlock, map[string]any{"name": "out"}),
		}, "items.item>fill.values_#_n", "fill.output>out.value")},
	} {
		b.Run(c.name, func(b *testing.B) {
			engines(b, func(b *testing.B, url string) {
				for range b.N {
					measureLong(b, url, c.agent, c.steps)
				}
			})
		})
	}
}

func measureLong(b *testing.B, url string, agent map[string]any, steps int) {
	path, dir := binary(b), b.TempDir()
	b.Setenv("AGENTSERVER_DATA_DIR", filepath.Join(dir, "data"))
	b.Setenv("AGENTSERVER_RUN_MAX_NODE_EXECUTIONS", "1000000")
	if url != "" {
		b.Setenv("AGENTSERVER_DATABASE_URL", url)
	}
	cmd, address := launch(b, path, dir)
	defer end(b, cmd)
	issue := exec.Command(path, "token", "--email", "long@bench.local")
	issue.Dir = dir
	token, err := issue.Output()
	require.NoError(b, err)
	s := &bed{tb: b, url: "http://" + address, client: newClient(), tokens: []string{strings.TrimSpace(string(token))}}
	body, err := json.Marshal(map[string]any{"graph": agent})
	require.NoError(b, err)
	var graph struct{ ID string }
	s.call(0, "POST", "/api/graphs", body, &graph)

	began := time.Now()
	s.call(0, "POST", "/api/graphs/"+graph.ID+"/execute/1", []byte(`{"inputs":{}}`), nil)
	var page struct {
		Executions []struct {
			Status string
			Stats  struct {
				NodeExecCount int `json:"node_exec_count"`
			}
		}
	}
	for {
		s.call(0, "GET", "/api/graphs/"+graph.ID+"/executions?page=1&page_size=1", nil, &page)
		if status := page.Executions[0].Status; status == "COMPLETED" {
			break
		} else if status != "QUEUED" && status != "RUNNING" {
			b.Fatalf("the run is %s", status)
		}
		time.Sleep(100 * time.Millisecond)
	}
	took := time.Since(began)
	require.Equal(b, steps, page.Executions[0].Stats.NodeExecCount)
	b.ReportMetric(float64(steps)/took.Seconds(), "steps/s")
	b.ReportMetric(memory(b, cmd, "VmHWM:"), "peak-MB")
}

func node(id, block string, in map[string]any) any {
	return map[string]any{"id": id, "block_id": block, "input_default": in}
}

// drawn makes an agent of nodes and of links like "node.pin>node.pin".
func drawn(nodes []any, links ...string) map[string]any {
	list := []any{}
	for i, text := range links {
		from, to, _ := strings.Cut(text, ">")
		source, sourcePin, _ := strings.Cut(from, ".")
		sink, sinkPin, _ := strings.Cut(to, ".")
		list = append(list, map[string]any{
			"id": fmt.Sprint("link", i), "source_id": source, "source_name": sourcePin, "sink_id": sink, "sink_name": sinkPin,
		})
	}
	return map[string]any{"id": "g", "version": 1, "is_active": true, "name": "long", "description": "", "nodes": nodes, "links": list}
}
