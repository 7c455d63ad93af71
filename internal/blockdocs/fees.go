package blockdocs

import (
	"fmt"
	"slices"
	"strings"

	"agentserver/core"
)

// Fees says what runs of a block cost, a sentence for each way to be charged.
// Prices that depend on one input alone are put together.
func Fees(spec *core.BlockSpec) []string {
	var lines []string
	for i := 0; i < len(spec.Costs); {
		group := 1
		for i+group < len(spec.Costs) && together(spec.Costs[i], spec.Costs[i+group]) {
			group++
		}
		lines = append(lines, feeText(spec.Costs[i:i+group]))
		i += group
	}
	return lines
}

// together reports whether two costs differ in the value of one and the same
// input only.
func together(a, b core.Cost) bool {
	x, y := conditions(a), conditions(b)
	return len(x) == 1 && slices.Equal(x, y) && payer(a) == payer(b)
}

// conditions names the inputs, other than credentials, that a cost depends on.
func conditions(c core.Cost) []string {
	var names []string
	for _, name := range core.SortedKeys(c.Filter) {
		if !core.IsCredentialsName(name) {
			names = append(names, name)
		}
	}
	return names
}

// payer names the provider whose key of the operator's is paid for, or "".
func payer(c core.Cost) string {
	for _, name := range core.SortedKeys(c.Filter) {
		ref, ok := c.Filter[name].(map[string]any)
		if !ok || !core.IsCredentialsName(name) {
			continue
		}
		if provider, ok := ref["provider"].(string); ok {
			return provider
		}
		id, _ := ref["id"].(string)
		if place := core.SystemCredentialPlace(id); place >= 0 {
			return core.SystemProviders()[place]
		}
	}
	return ""
}

func feeText(costs []core.Cost) string {
	var b strings.Builder
	if p := payer(costs[0]); p != "" {
		fmt.Fprintf(&b, "With the operator's key of %s: ", p)
	}
	names := conditions(costs[0])
	if len(names) != 1 || len(costs) == 1 {
		b.WriteString(credits(costs[0].Amount) + " a run")
		for i, name := range names {
			word := ", if "
			if i > 0 {
				word = " and "
			}
			fmt.Fprintf(&b, "%s`%s` is %s", word, name, code(costs[0].Filter[name]))
		}
		return b.String()
	}
	fmt.Fprintf(&b, "by `%s`, ", names[0])
	byAmount := map[int][]string{}
	var amounts []int
	for _, c := range costs {
		if byAmount[c.Amount] == nil {
			amounts = append(amounts, c.Amount)
		}
		byAmount[c.Amount] = append(byAmount[c.Amount], code(c.Filter[names[0]]))
	}
	slices.Sort(amounts)
	for i, amount := range amounts {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s for %s", credits(amount), strings.Join(byAmount[amount], ", "))
	}
	return b.String()
}

func credits(n int) string {
	if n == 1 {
		return "1 credit"
	}
	return fmt.Sprintf("%d credits", n)
}
