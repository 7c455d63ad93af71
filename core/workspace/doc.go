// Package workspace holds the files that blocks exchange by reference.
//
// A reference is a data URI, which carries its content, or the http(s) URL of a
// file elsewhere. URLs are fetched through the guarded client that every
// provider's blocks have in common, so a reference never reaches a private
// network, also where a provider of its own may.
package workspace
