// Package graph keeps agents: graphs of nodes and links with versions. It
// validates them, derives the schemas that forms are drawn from, and imports
// and exports them.
//
// A saved version never changes; saving again makes a new version with new
// node ids. All versions of an agent share its id and its owner.
package graph
