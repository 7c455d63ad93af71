// Package http sends requests that users write, with the headers of a credential
// that belongs to a host.
package http

import "agentserver/core"

var provider = &core.Provider{
	Name:   "http",
	Title:  "HTTP",
	Auth:   []core.AuthMethod{core.HostScopedAuth{}},
	Blocks: []core.Block{sendAuthenticated},
}

func init() { core.Register(provider) }
