package builtin

import (
	"context"
	"crypto/rand"
	"encoding/binary"

	"agentserver/core"
)

type samplingInput struct {
	Data        any     `json:"data" type:"object | array<object | array>" placeholder:"{'id': 1, 'value': 'a'}" doc:"Rows to take a sample of: a list of dictionaries or lists, or one dictionary"`
	Size        int     `json:"sample_size" default:"10" placeholder:"10" doc:"How many rows to take"`
	Method      string  `json:"sampling_method" enum:"random,systematic,top,bottom,stratified,weighted,reservoir,cluster" default:"random" doc:"How to choose them"`
	Accumulate  bool    `json:"accumulate" default:"false" doc:"Collect rows over the runs of this block in one run of the agent, and take a sample when there are enough"`
	Seed        *int    `json:"random_seed" doc:"Number that makes the choice repeatable"`
	StratifyKey *string `json:"stratify_key" doc:"Key whose values make the groups, for stratified sampling"`
	WeightKey   *string `json:"weight_key" doc:"Key of the weights, for weighted sampling"`
	ClusterKey  *string `json:"cluster_key" doc:"Key whose values make the clusters, for cluster sampling"`
}

type samplingOutput struct {
	Data    core.Pin[[]any] `json:"sampled_data" type:"array<object | array>" doc:"The rows of the sample"`
	Indices core.Pin[[]int] `json:"sample_indices" doc:"Their places in the data, from 0"`
}

var dataSampling = core.NewBlock(core.BlockSpec{
	ID: "4a448883-71fa-49cf-91cf-70d793bd7d87", Name: "DataSamplingBlock",
	Description: "Takes a sample of rows: at random, evenly, from one end, by groups, by weights or by clusters.",
	Categories:  []core.Category{core.CategoryLogic},
}, func(ctx context.Context, run *core.Run, in *samplingInput, out *samplingOutput) error {
	rows, ok := in.Data.([]any)
	if !ok {
		rows = []any{in.Data}
	}
	if in.Size < 0 {
		return core.Errorf(core.Invalid, "Sample size must not be negative: %d", in.Size)
	}
	if in.Accumulate {
		var enough bool
		var err error
		if rows, enough, err = accumulate(ctx, run, rows, in.Size); err != nil || !enough {
			return err
		}
	}
	if in.Size > len(rows) {
		return core.Errorf(core.Invalid, "Sample size (%d) cannot be larger than the dataset size (%d).", in.Size, len(rows))
	}
	seed, err := seedOf(in.Seed)
	if err != nil {
		return err
	}
	indices, err := sampleRows(newTwister(seed), rows, in)
	if err != nil {
		return err
	}
	sample := make([]any, len(indices))
	for i, at := range indices {
		sample[i] = rows[at]
	}
	out.Data.Emit(sample)
	out.Indices.Emit(indices)
	return nil
})

// seedOf gives the seed, or one that nobody can guess.
func seedOf(given *int) (int64, error) {
	if given != nil {
		return int64(*given), nil
	}
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint64(random[:])), nil
}

// accumulate adds rows to those that earlier runs of the node have left, and
// gives all when there are enough. The rows of another run of the agent are
// dropped, so that what a run leaves behind is replaced by the next.
func accumulate(ctx context.Context, run *core.Run, rows []any, size int) (all []any, enough bool, err error) {
	if run.GraphID == "" { // a block that runs by itself has no later runs
		return rows, len(rows) >= size, nil
	}
	key := "sampling#" + run.GraphID + "#" + run.NodeID
	stored, _, err := run.Store.Load(ctx, run.UserID, key)
	if err != nil {
		return nil, false, err
	}
	kept, _ := stored.(map[string]any)
	if kept["run"] == run.GraphExecID {
		earlier, _ := kept["rows"].([]any)
		rows = append(append([]any{}, earlier...), rows...)
	}
	left := rows
	if enough = len(rows) >= size; enough {
		left = []any{}
	}
	err = run.Store.Save(ctx, run.UserID, key, run.NodeExecID, map[string]any{"run": run.GraphExecID, "rows": left})
	return rows, enough, err
}
