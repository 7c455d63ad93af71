package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/server"
)

func TestErrorAnswers(t *testing.T) {
	b := func(detail, hint string) string {
		return `{"message":"Failed to process GET /it/7","detail":` + detail + `,"hint":"` + hint + `"}`
	}
	const client, fault = "Adjust the request and retry.", "Check server logs and dependent services."
	secret := errors.New("password=hunter2")
	for name, c := range map[string]struct {
		err    error
		status int
		body   string
	}{
		"invalid":         {core.Errorf(core.Invalid, "no <b>"), 400, b(`"no <b>"`, client)},
		"unauthenticated": {core.PlainErrorf(core.Unauthenticated, "who"), 401, `{"detail":"who"}`},
		"payment":         {core.PlainErrorf(core.PaymentRequired, "pay"), 402, `{"detail":"pay"}`},
		"forbidden":       {core.Errorf(core.Forbidden, "no"), 403, b(`"no"`, client)},
		"not found":       {core.Errorf(core.NotFound, "no"), 404, b(`"no"`, client)},
		"conflict":        {core.Errorf(core.Conflict, "no"), 409, b(`"no"`, client)},
		"too large":       {core.Errorf(core.TooLarge, "no"), 413, b(`"no"`, client)},
		"precondition":    {core.Errorf(core.PreconditionFailed, "no"), 428, b(`"no"`, client)},
		"too many":        {core.PlainErrorf(core.TooMany, "slow"), 429, `{"detail":"slow"}`},
		"unavailable":     {core.Errorf(core.Unavailable, "no key"), 503, b(`"no key"`, fault)},
		"internal, worded for users": {
			core.WithCause(core.Internal, secret, "The vendor is down"), 500, b(`"The vendor is down"`, fault),
		},
		"internal, quoting its cause": {core.Errorf(core.Internal, "reading: %w", secret), 500, b(`"Internal server error"`, fault)},
		"any error":                   {secret, 500, b(`"Internal server error"`, fault)},
		"wrapped":                     {fmt.Errorf("reading graph: %w", core.Errorf(core.NotFound, "Graph #1 not found")), 404, b(`"Graph #1 not found"`, client)},
		"detail in the short form": {
			&core.Error{Kind: core.Invalid, Plain: true, Detail: map[string]any{"type": "validation_error"}}, 400,
			`{"detail":{"type":"validation_error"}}`,
		},
		"detail in the long form": {&core.Error{Kind: core.Invalid, Detail: []int{1}}, 400, b(`[1]`, client)},
		"unprocessable with items": {
			&core.Error{Kind: core.Unprocessable, Detail: []server.FieldError{{Type: "missing", Loc: []any{"body", "name", 0}, Msg: "Field required", Input: map[string]any{}}}},
			422, `{"message":"Invalid data for GET /it/7","detail":[{"type":"missing","loc":["body","name",0],"msg":"Field required","input":{}}],"hint":"Ensure the request matches the API schema."}`,
		},
		"unprocessable without": {
			core.Errorf(core.Unprocessable, "not an address"), 422,
			`{"message":"Invalid data for GET /it/7","detail":[{"type":"value_error","loc":["body"],"msg":"not an address","input":null}],"hint":"Ensure the request matches the API schema."}`,
		},
		"of echo":            {echo.NewHTTPError(http.StatusTeapot, "tea"), 418, `{"detail":"tea"}`},
		"of echo, no text":   {&echo.HTTPError{Code: http.StatusGone}, 410, `{"detail":"Gone"}`},
		"of echo, our fault": {echo.NewHTTPError(http.StatusBadGateway, "hunter2"), 500, b(`"Internal server error"`, fault)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.GET("/it/:id", func(echo.Context) error { return c.err })
			w := s.ask("GET", "/it/7?token=querysecret", nil)
			require.Equal(t, c.status, w.Code)
			require.Equal(t, c.body, w.Body.String())
			require.Equal(t, "application/json", w.Header().Get("Content-Type"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			require.Empty(t, w.Header().Get("WWW-Authenticate"))
			if c.status >= 500 {
				require.Contains(t, s.log.String(), "request failed")
			} else {
				require.NotContains(t, s.log.String(), "request failed")
			}
		})
	}
}

func TestEveryKindHasAStatus(t *testing.T) {
	for kind := core.Internal + 1; kind <= core.PreconditionFailed; kind++ {
		status, _ := server.ErrorAnswer("GET", "/", core.Errorf(kind, "x"))
		require.NotEqual(t, 500, status, "kind %d", kind)
	}
}

func TestUnknownRoutes(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/known", ok)
	s.Group("/api", func(next echo.HandlerFunc) echo.HandlerFunc { return next }).GET("/x", ok)
	for target, c := range map[[2]string]struct {
		status int
		body   string
	}{
		{"GET", "/nowhere"}: {404, `{"detail":"Not Found"}`},
		{"GET", "/api/no"}:  {404, `{"detail":"Not Found"}`},
		{"POST", "/known"}:  {405, `{"detail":"Method Not Allowed"}`},
		{"HEAD", "/known"}:  {405, ``},
	} {
		w := s.ask(target[0], target[1], nil)
		require.Equal(t, c.status, w.Code, target)
		require.Equal(t, c.body, w.Body.String(), target)
	}
	require.Equal(t, "OPTIONS, GET", s.ask("POST", "/known", nil).Header().Get("Allow"))
}

func TestPanics(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/", func(echo.Context) error { panic("secret state") })
	w := s.ask("GET", "/", nil)
	require.Equal(t, 500, w.Code)
	require.Equal(t, `{"message":"Failed to process GET /","detail":"Internal server error","hint":"Check server logs and dependent services."}`, w.Body.String())
	require.Contains(t, s.log.String(), "errors_test.go", "the log has the stack")

	s.GET("/abort", func(c echo.Context) error {
		_ = c.String(200, "half")
		panic(http.ErrAbortHandler)
	})
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { s.ask("GET", "/abort", nil) })
}

func TestErrorsAfterTheAnswerBegan(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/", func(c echo.Context) error {
		_ = c.String(200, "begun")
		return errors.New("late")
	})
	w := s.ask("GET", "/", nil)
	require.Equal(t, 200, w.Code)
	require.Equal(t, "begun", w.Body.String())
	require.Contains(t, s.log.String(), "late")
}

func TestAClientThatLeft(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/", func(c echo.Context) error { return fmt.Errorf("reading: %w", c.Request().Context().Err()) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
	require.NotContains(t, s.log.String(), "request failed")
	require.Contains(t, s.log.String(), "status=499")
}
