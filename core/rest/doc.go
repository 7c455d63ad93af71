// Package rest is outbound HTTP for providers: a guarded client and helpers for
// JSON APIs.
//
// # The guard
//
// Users choose many of the addresses that the server calls, so every call goes
// through a [Client]. It refuses what is not http or https, host names with odd
// characters and IPv4 addresses in disguise (2130706433, 0x7f.1). It resolves
// each name itself, refuses it when any of its addresses is private, local or
// reserved, and connects to one of the addresses that it checked; the check is
// made again on the socket. Redirects go through the same checks. No proxy of
// the environment is used, since the guard would then see only the proxy.
//
// Hosts that the operator names as trusted skip these checks.
//
// # The helpers
//
// [JSON] and [Send] make one request and turn every status outside 2xx into a
// [StatusError]. They work with any [core.Doer], so a block calls
// rest.JSON(ctx, run.HTTP, ...), and its tests need no network.
package rest
