// Package server speaks HTTP for the platform: the middleware every request
// passes, the mapping of errors to answers, and one file per group of routes.
// Handlers hold no logic; they call the rooms under core.
//
// Requests pass, from the outside in: CORS, metrics, request log, compression,
// security headers, body limit, then the place where errors and panics become
// answers, then authentication per group of routes. [Install] puts all but the
// last onto an Echo instance.
package server
