// Package blockdocs describes blocks for people: as tables for a terminal, and as
// the pages of docs/blocks.
//
// All it tells comes from what blocks declare. Nothing depends on the
// configuration or the environment, so that the pages are the same everywhere.
package blockdocs
