package server

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/platform"
)

// API is the platform over HTTP.
type API struct {
	echo     *echo.Echo
	huma     huma.API
	auth     *Auth
	platform *platform.Platform
	log      *slog.Logger
	blocks   *blockList
}

// New builds the API of a platform.
func New(p *platform.Platform) (*API, error) {
	e := echo.New()
	a := &API{echo: e, auth: NewAuth(p.Verifier, p.Log), platform: p, log: p.Log}
	options := PipelineOptions{
		Log:          p.Log,
		CORS:         CORSConfig{Origins: p.Config.CORS.Allowed.Exact, Patterns: p.Config.CORS.Allowed.Patterns},
		MaxBody:      int64(p.Config.HTTP.MaxBody),
		OwnBodyLimit: func(c echo.Context) bool { return slices.Contains(ownBodyLimits, c.Path()) },
	}
	if p.Config.Metrics.Enabled {
		metrics, err := NewHTTPMetrics(p.Metrics, "rest_api")
		if err != nil {
			return nil, err
		}
		options.Metrics = metrics
	}
	Install(e, options)
	a.huma = humaecho.New(e, humaConfig())
	var err error
	if a.blocks, err = newBlockList(p.Builder); err != nil {
		return nil, err
	}
	a.healthRoutes()
	a.accountRoutes()
	a.accountDeletionRoutes()
	a.blockRoutes()
	a.builderRoutes()
	a.graphRoutes()
	a.executionRoutes()
	a.sharedRoutes()
	a.credentialRoutes()
	a.webhookRoutes()
	a.presetRoutes()
	a.managedRoutes()
	a.providerRoutes()
	a.adminDeletionRoutes()
	a.adminWebhookRoutes()
	a.workspaceRoutes()
	a.fileRoutes()
	a.reviewRoutes()
	return a, nil
}

// ServeHTTP answers a request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.echo.ServeHTTP(w, r) }

// OpenAPI is the description of the API.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// Who may call an operation.
type access int

const (
	// asUser is for users; an administrator may act for another one.
	asUser access = iota
	// asSelf is for users and about the caller, whomever they act for.
	asSelf
	// asLeaver is for users, also for one whose account is being deleted; nobody
	// may act for another one.
	asLeaver
	// anyone needs no token.
	anyone
)

// operation describes a route. Its id is what clients are generated from.
type operation struct {
	id, method, path, summary string
	tags                      []string
	status                    int // 200 unless set
	access                    access
	// secret marks a body that holds secrets: answers about it do not repeat it.
	secret bool
}

// secretBody is the key under which a description says so.
const secretBody = "secret body"

// route adds an operation with a typed handler.
func route[I, O any](a *API, o operation, handler func(ctx context.Context, in *I) (*O, error)) {
	huma.Register(a.huma, a.describe(o), func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, a.failure(ctx, o.method, err)
		}
		return out, nil
	})
}

func (a *API) describe(o operation) huma.Operation {
	op := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Tags: o.tags,
		DefaultStatus: o.status, MaxBodyBytes: -1, // the pipeline bounds bodies
		Middlewares: huma.Middlewares{a.withPath}, Metadata: map[string]any{contractID: o.id, secretBody: o.secret},
	}
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	switch o.access {
	case asUser, asSelf, asLeaver:
		op.Security = []map[string][]string{{bearerScheme: {}}}
		op.Middlewares = append(op.Middlewares, a.authenticate(o.access))
		op.Responses = map[string]*huma.Response{"401": {Ref: "#/components/responses/" + unauthorizedName}}
	}
	return op
}

// principal finds out who calls, and makes sure that they have an account.
func (a *API) principal(r *http.Request, who access) (Principal, error) {
	find := a.auth.User
	if who == asSelf {
		find = a.auth.Self
	}
	p, err := find(r)
	if err == nil {
		_, err = a.platform.Accounts.Ensure(r.Context(), p.Caller)
	}
	if who == asLeaver {
		err = leaving(p, err)
	}
	if err == nil && p.UserID != p.Caller.UserID {
		_, err = a.platform.Accounts.Get(r.Context(), p.UserID)
	}
	return p, err
}

// user is what authenticate is for the routes that are Echo's own.
func (a *API) user(next echo.HandlerFunc) echo.HandlerFunc {
	return require(func(r *http.Request) (Principal, error) { return a.principal(r, asUser) })(next)
}

// authenticate finds out who calls, and makes sure that they have an account.
func (a *API) authenticate(who access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		p, err := a.principal(humaecho.Unwrap(ctx).Request(), who)
		if err != nil {
			writeFailure(ctx, a.failure(ctx.Context(), ctx.Method(), err))
			return
		}
		next(huma.WithContext(ctx, WithPrincipal(ctx.Context(), p)))
	}
}

// leaving lets through who is being deleted, and nobody who acts for another
// user: it is not clear whose account they mean.
func leaving(p Principal, err error) error {
	if account.IsDeleting(err) {
		err = nil
	}
	if err == nil && p.UserID != p.Caller.UserID {
		err = core.PlainErrorf(core.Forbidden, "Only users themselves delete their account here; administrators send DELETE to /api/admin/users/{user_id}")
	}
	return err
}

type pathKey struct{}

// withPath lets errors name the path of the request.
func (a *API) withPath(ctx huma.Context, next func(huma.Context)) {
	u := ctx.URL()
	next(huma.WithValue(ctx, pathKey{}, u.Path))
}

func pathOf(ctx context.Context) string {
	path, _ := ctx.Value(pathKey{}).(string)
	return path
}
