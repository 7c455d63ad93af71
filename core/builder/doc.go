// Package builder serves the menu in which people pick what to draw: blocks by
// category, kind and provider, a search over blocks, the user's own agents and
// the marketplace, and suggestions.
//
// Blocks do not change while the process runs. What is asked of them is worked
// out once, when it is first needed: the JSON of each, its place in the lists,
// and the texts that searches compare, see [Service.List] and index.go.
//
// A search scores names and texts (score.go) by how alike they are (ratio.go),
// and remembers what the user typed (history.go). The most used blocks are
// counted in the background, at most once an hour (top.go).
package builder
