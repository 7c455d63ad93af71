package execution_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/execution"
)

type vals = core.Values

func TestInputToOutput(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		d := (&drawing{}).
			node("in", inputBlock, vals{"name": "Load Test Input"}).
			node("out", outputBlock, vals{"name": "Load Test Output", "value": "Test output value"}).
			link("in.result", "out.value")
		run, ids := b.run(d, vals{"Load Test Input": map[string]any{"a": 1}})
		require.Equal(t, execution.Completed, run.Status)
		value := map[string]any{"a": 1}
		require.Equal(t, map[string][]any{"Load Test Output": {value}}, run.Outputs)
		require.Equal(t, map[string][]any{"result": {value}}, of(run, ids["in"])[0].OutputData)
		out := of(run, ids["out"])[0]
		require.Equal(t, vals{"name": "Load Test Output", "value": value}, out.InputData)
		require.Equal(t, map[string][]any{"output": {value}, "name": {"Load Test Output"}}, out.OutputData)
		require.Equal(t, 2, run.Stats.NodeExecCount)
		require.NotNil(t, run.StartedAt)
		require.NotNil(t, run.EndedAt)
	})
}

func TestJoinWithDynamicPins(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		d := (&drawing{}).
			node("in1", inputBlock, vals{"name": "input_1"}).
			node("in2", inputBlock, vals{"name": "input_2", "description": "D"}).
			node("fill", fillBlock, vals{"format": "{{a}}, {{b}}{{c}}", "values_#_c": "!!!"}).
			node("store", storeBlock, vals{}).
			link("in1.result", "fill.values_#_a").link("in2.result", "fill.values_#_b").link("fill.output", "store.input")
		run, ids := b.run(d, vals{"input_1": "Hello", "input_2": "World"})
		require.Len(t, run.NodeExecutions, 4)
		require.Equal(t, vals{"name": "input_2", "value": "World", "description": "D"}, of(run, ids["in2"])[0].InputData)
		fill := of(run, ids["fill"])[0]
		require.Equal(t, vals{
			"format": "{{a}}, {{b}}{{c}}", "values": map[string]any{"a": "Hello", "b": "World", "c": "!!!"},
			"values_#_a": "Hello", "values_#_b": "World", "values_#_c": "!!!",
		}, fill.InputData)
		require.Equal(t, map[string][]any{"output": {"Hello, World!!!"}}, fill.OutputData)
		store := of(run, ids["store"])[0]
		require.Equal(t, vals{"input": "Hello, World!!!"}, store.InputData)
		require.Equal(t, map[string][]any{"output": {"Hello, World!!!"}}, store.OutputData)
	})
}

func TestHalfFilledNodeWaits(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()})
	d := (&drawing{}).
		node("in1", inputBlock, vals{"name": "input_1"}).
		node("in2", inputBlock, vals{"name": "input_2"}). // without a value it gives nothing
		node("join", joinBlock, vals{}).
		link("in1.result", "join.a").link("in2.result", "join.b")
	run, ids := b.run(d, vals{"input_1": "Hello"})
	require.Equal(t, execution.Completed, run.Status)
	join := of(run, ids["join"])
	require.Len(t, join, 1)
	require.Equal(t, execution.Incomplete, join[0].Status)
	require.Equal(t, vals{"a": "Hello"}, join[0].InputData)
}

func TestLinkBeatsDefault(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()})
	d := (&drawing{}).
		node("dict", storeBlock, vals{"input": map[string]any{"key1": "value1", "key2": "value2"}}).
		node("key", storeBlock, vals{"input": "key2"}).
		node("find", findBlock, vals{"key": "", "input": map[string]any{}}).
		link("dict.output", "find.input").link("key.output", "find.key")
	run, ids := b.run(d, nil)
	require.Len(t, run.NodeExecutions, 3)
	require.Equal(t, map[string][]any{"output": {"value2"}}, of(run, ids["find"])[0].OutputData)
}

// Three values come over a link, one over a static link: every calculation
// gets the static one, whichever side arrives first.
func TestStaticCompletion(t *testing.T) {
	for name, delays := range map[string][2]float64{"static last": {0, 0.1}, "static first": {0.1, 0}} {
		t.Run(name, func(t *testing.T) {
			b := open(t, map[string]string{"data_dir": t.TempDir()})
			d := (&drawing{}).node("calc", calcBlock, vals{"operation": "Add"})
			for _, id := range []string{"a1", "a2", "a3"} {
				d.node(id, slowBlock, vals{"value": 4, "delay": delays[0]}).link(id+".value", "calc.a")
			}
			d.node("five", slowBlock, vals{"value": 5, "delay": delays[1]}).node("b", storeBlock, vals{}).
				link("five.value", "b.input").link("b.output", "calc.b")
			run, ids := b.run(d, nil)
			require.Len(t, run.NodeExecutions, 8)
			results := of(run, ids["calc"])
			require.Len(t, results, 3)
			for _, r := range results {
				require.Equal(t, execution.Completed, r.Status)
				require.EqualValues(t, 9, r.OutputData["result"][0])
			}
		})
	}
}

func TestFIFOJoin(t *testing.T) {
	cases := map[string]struct {
		a, b []any
		want []any
	}{
		"same number": {[]any{"x1", "x2"}, []any{"y1", "y2"}, []any{"x1y1", "x2y2"}},
		"one over":    {[]any{"x1", "x2", "x3"}, []any{"y1", "y2"}, []any{"x1y1", "x2y2"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b := open(t, map[string]string{"data_dir": t.TempDir()})
			d := (&drawing{}).
				node("a", emitBlock, vals{"values": c.a}).node("b", emitBlock, vals{"values": c.b}).
				node("join", joinBlock, vals{}).node("out", outputBlock, vals{"name": "out"}).
				link("a.value", "join.a").link("b.value", "join.b").link("join.value", "out.value")
			run, ids := b.run(d, nil)
			require.Equal(t, execution.Completed, run.Status)
			require.Equal(t, c.want, run.Outputs["out"])
			waiting := 0
			for _, r := range of(run, ids["join"]) {
				if r.Status == execution.Incomplete {
					waiting++
				}
			}
			require.Equal(t, len(c.a)-len(c.b), waiting)
		})
	}
}

// Items take less and less time, and still leave the node in their order.
func TestOrderedFanOut(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()})
	d := (&drawing{}).
		node("items", stepBlock, vals{"items": []any{
			map[string]any{"n": 1, "delay": 0.3}, map[string]any{"n": 2, "delay": 0.15}, map[string]any{"n": 3, "delay": 0.0},
		}}).
		node("slow", slowBlock, vals{}).node("out", outputBlock, vals{"name": "out"}).
		link("items.item_#_n", "slow.value").link("items.item_#_delay", "slow.delay").link("slow.value", "out.value")
	run, _ := b.run(d, nil)
	require.Equal(t, map[string][]any{"out": {1, 2, 3}}, run.Outputs)
}

func TestFailureGoesOutOnErrorPin(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()})
	d := (&drawing{}).
		node("fail", failBlock, vals{"value": 7}).node("out", outputBlock, vals{"name": "why"}).
		node("never", outputBlock, vals{"name": "never"}).
		link("fail.error", "out.value").link("fail.value", "never.value")
	run, ids := b.run(d, nil)
	require.Equal(t, execution.Completed, run.Status, "a failed node does not fail the run")
	text := "raised by FailBlock with message: no luck with 7. block_id: " + failBlock
	require.Equal(t, map[string][]any{"why": {text}}, run.Outputs)
	require.Equal(t, execution.Failed, of(run, ids["fail"])[0].Status)
	require.Equal(t, map[string][]any{"error": {text}}, of(run, ids["fail"])[0].OutputData)
	require.Empty(t, of(run, ids["never"]))
	require.Equal(t, 1, run.Stats.NodeErrorCount)
}

// A number goes round until it is five.
func TestLoop(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()})
	d := (&drawing{}).
		node("start", plainKeep, vals{"value": 0}).
		node("add", calcBlock, vals{"operation": "Add", "b": 1}).
		node("enough", conditionBlock, vals{"operator": ">=", "value2": 5}).
		node("keep", joinBlock, vals{}).
		node("out", outputBlock, vals{"name": "out"}).
		link("start.value", "add.a").link("add.result", "enough.value1").link("enough.yes_output", "out.value").
		link("add.result", "keep.b").link("enough.no_output", "keep.a").
		link("enough.no_output", "drop.value").node("drop", plainKeep, vals{}).
		node("back", calcBlock, vals{"operation": "Add", "b": 0}).link("add.result", "back.a").
		node("gate", conditionBlock, vals{"operator": "<", "value2": 5}).link("back.result", "gate.value1").
		link("gate.yes_output", "add.a")
	run, ids := b.run(d, nil)
	require.Equal(t, execution.Completed, run.Status)
	require.EqualValues(t, 5, run.Outputs["out"][0])
	require.Len(t, run.Outputs["out"], 1)
	require.Len(t, of(run, ids["add"]), 5)
}

func TestEndlessLoopIsEnded(t *testing.T) {
	b := open(t, map[string]string{"data_dir": t.TempDir()}, "run.max_node_executions=50")
	d := (&drawing{}).
		node("start", plainKeep, vals{"value": 0}).node("a", calcBlock, vals{"operation": "Add", "b": 1}).
		node("c", calcBlock, vals{"operation": "Add", "b": 1}).
		link("start.value", "a.a").link("a.result", "c.a").link("c.result", "a.a")
	run, _ := b.run(d, nil)
	require.Equal(t, execution.Failed, run.Status)
	require.Contains(t, *run.Stats.Error, "limit of 50 node runs")
	for _, n := range run.NodeExecutions {
		require.True(t, n.Status.Final() || n.Status == execution.Incomplete, "node is left %s", n.Status)
	}
}

func TestStoredValues(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		d := (&drawing{}).
			node("in", inputBlock, vals{"name": "value"}).
			node("keep", keepBlock, vals{"key": "k", "scope": "across_agents"}).link("in.result", "keep.value")
		run, _ := b.run(d, vals{"value": 0})
		require.Equal(t, execution.Completed, run.Status)
		read := (&drawing{}).
			node("recall", recallBlock, vals{"key": "k", "scope": "across_agents", "default_value": "none"}).
			node("out", outputBlock, vals{"name": "out"}).link("recall.value", "out.value")
		run, _ = b.run(read, nil)
		require.Equal(t, map[string][]any{"out": {0}}, run.Outputs, "a stored 0 is not the default")
	})
}

func TestRunsAgentsInsideAgents(t *testing.T) {
	each(t, func(t *testing.T, flags map[string]string) {
		b := open(t, flags)
		child, _ := b.save((&drawing{}).
			node("in", inputBlock, vals{"name": "word"}).
			node("fill", fillBlock, vals{"format": "<{{w}}>"}).node("out", outputBlock, vals{"name": "framed"}).
			link("in.result", "fill.values_#_w").link("fill.output", "out.value"))
		d := (&drawing{}).
			node("in", inputBlock, vals{"name": "word"}).
			node("agent", "e189baac-8c20-45a1-94a7-55177ea42565", vals{
				"graph_id": child.ID, "graph_version": 1, "inputs": map[string]any{},
				"input_schema":  map[string]any{"type": "object", "properties": map[string]any{"word": map[string]any{}}, "required": []any{"word"}},
				"output_schema": map[string]any{"type": "object", "properties": map[string]any{"framed": map[string]any{}}},
			}).
			node("out", outputBlock, vals{"name": "out"}).
			link("in.result", "agent.word").link("agent.framed", "out.value")
		run, _ := b.run(d, vals{"word": "hi"})
		require.Equal(t, execution.Completed, run.Status)
		require.Equal(t, map[string][]any{"out": {"<hi>"}}, run.Outputs)
		require.Equal(t, 3+3, run.Stats.NodeExecCount, "the child's nodes count")
	})
}
