package builtin

import (
	"math"
	"strconv"
	"strings"

	"agentserver/core"
)

// sampleRows gives the indices of a sample of in.Size rows, of which there are
// enough.
func sampleRows(r *twister, rows []any, in *samplingInput) ([]int, error) {
	switch in.Method {
	case "systematic":
		return systematic(r, len(rows), in.Size), nil
	case "top":
		return stretch(0, in.Size), nil
	case "bottom":
		return stretch(len(rows)-in.Size, in.Size), nil
	case "stratified":
		groups, err := groupRows(rows, "Stratify", in.StratifyKey)
		if err != nil {
			return nil, err
		}
		return stratified(r, groups, len(rows), in.Size), nil
	case "weighted":
		weights, err := weightsOf(rows, in.WeightKey)
		if err != nil {
			return nil, err
		}
		return r.choices(weights, in.Size), nil
	case "reservoir":
		return reservoir(r, len(rows), in.Size), nil
	case "cluster":
		groups, err := groupRows(rows, "Cluster", in.ClusterKey)
		if err != nil {
			return nil, err
		}
		return cluster(r, groups, in.Size), nil
	}
	return r.sample(len(rows), in.Size), nil
}

// stretch gives n numbers from the first on.
func stretch(first, n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = first + i
	}
	return list
}

// systematic takes every so-maniest row, from a random one near the start.
func systematic(r *twister, n, size int) []int {
	if size == 0 {
		return []int{}
	}
	step := n / size
	start := r.between(0, step-1)
	list := make([]int, size)
	for i := range list {
		list[i] = start + i*step
	}
	return list
}

// reservoir lets each row after the first ones take the place of one of them,
// ever less likely.
func reservoir(r *twister, n, size int) []int {
	list := stretch(0, size)
	for i := size; i < n; i++ {
		if j := r.between(0, i); j < size {
			list[j] = i
		}
	}
	return list
}

// stratified takes of each group as its part of all rows is. What rounding adds
// or leaves goes to the largest quotas that their groups can fill.
func stratified(r *twister, groups [][]int, n, size int) []int {
	quotas := make([]int, len(groups))
	sum := 0
	for i, g := range groups {
		quotas[i] = max(1, int(float64(len(g))/float64(n)*float64(size)))
		sum += quotas[i]
	}
	for ; sum != size; sum += sign(size - sum) {
		largest := -1
		for i, q := range quotas {
			if (largest < 0 || q > quotas[largest]) && (sum > size || q < len(groups[i])) {
				largest = i
			}
		}
		quotas[largest] += sign(size - sum)
	}
	list := []int{}
	for i, g := range groups {
		for _, j := range r.sample(len(g), quotas[i]) {
			list = append(list, g[j])
		}
	}
	return list
}

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// cluster takes random clusters whole until there are enough rows, and then a
// random part of those.
func cluster(r *twister, groups [][]int, size int) []int {
	var rows []int
	for len(rows) < size {
		at := r.below(len(groups))
		rows = append(rows, groups[at]...)
		groups = append(append([][]int{}, groups[:at]...), groups[at+1:]...)
	}
	list := r.sample(len(rows), size)
	for i, at := range list {
		list[i] = rows[at]
	}
	return list
}

// groupRows parts the rows by the text of a key's value, in the order in which
// the values first occur. Purpose is the method, for messages.
func groupRows(rows []any, purpose string, key *string) ([][]int, error) {
	var groups [][]int
	byValue := map[string]int{}
	for i, row := range rows {
		v, err := valueOf(row, purpose, key)
		if err != nil {
			return nil, err
		}
		text, ok := v.(string)
		if !ok {
			text = core.Repr(v)
		}
		at, known := byValue[text]
		if !known {
			at = len(groups)
			byValue[text] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], i)
	}
	return groups, nil
}

// weightsOf gives the weights of the rows, whose sum can be drawn from.
func weightsOf(rows []any, key *string) ([]float64, error) {
	weights := make([]float64, len(rows))
	total := 0.0
	for i, row := range rows {
		v, err := valueOf(row, "Weight", key)
		if err != nil {
			return nil, err
		}
		w, ok := numberIn(v)
		if !ok {
			return nil, core.Errorf(core.Invalid, "Weight value '%s' cannot be converted to a number", brief(core.Text(v)))
		}
		if w < 0 {
			return nil, core.Errorf(core.Invalid, "Weight value '%s' is negative", brief(core.Text(v)))
		}
		weights[i] = w
		total += w
	}
	switch {
	case math.IsInf(total, 0) || math.IsNaN(total):
		return nil, core.Errorf(core.Invalid, "Total of weights must be finite")
	case total <= 0 && len(rows) > 0:
		return nil, core.Errorf(core.Invalid, "Total of weights must be greater than zero")
	}
	return weights, nil
}

// numberIn reads a number, a truth value, or text that spells a number.
func numberIn(v any) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return f, err == nil
	}
	return core.Number(v)
}

// sampleNames are the methods as messages name them.
var sampleNames = map[string]string{"Stratify": "stratified", "Weight": "weighted", "Cluster": "cluster"}

// valueOf gives the value of a row's key.
func valueOf(row any, purpose string, key *string) (any, error) {
	if key == nil || *key == "" {
		return nil, core.Errorf(core.Invalid, "%s key must be provided for %s sampling.", purpose, sampleNames[purpose])
	}
	members, _ := row.(map[string]any)
	v, ok := members[*key]
	if !ok {
		return nil, core.Errorf(core.Invalid, "%s key '%s' not found in item %s", purpose, *key, brief(core.Repr(row)))
	}
	if v == nil {
		return nil, core.Errorf(core.Invalid, "%s value for key '%s' is None", purpose, *key)
	}
	return v, nil
}
