package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// DidYouMean gives `, did you mean "x"?` for the known name that looks most
// like name, or "" when none is close.
func DidYouMean(name string, known []string) string {
	if best := closest(name, known); best != "" {
		return `, did you mean "` + best + `"?`
	}
	return ""
}

// closest gives the known name that needs the fewest changes, at most a third
// of its letters. A key that only lacks its section is close too: jwt_key is
// auth.jwt_key.
func closest(name string, known []string) string {
	best, fewest := "", max(2, len(name)/3)+1
	for _, candidate := range slices.Sorted(slices.Values(known)) {
		changes := levenshtein.ComputeDistance(name, candidate)
		if strings.HasSuffix(candidate, "."+name) {
			changes = 1
		}
		if changes < fewest && changes < len(candidate) {
			best, fewest = candidate, changes
		}
	}
	return best
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
