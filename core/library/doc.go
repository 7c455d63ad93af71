// Package library keeps each user's list of agents: which versions of which
// graphs are in it, and the user's settings for them.
package library
