package credential

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/oauth2"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/rest"
)

// The most characters of a vendor's error that are repeated.
const (
	maxErrorCode        = 64
	maxErrorDescription = 200
)

// A vendorError says why a vendor did not do what it was asked for. It keeps no
// cause, because that may hold a body with secrets.
type vendorError struct {
	text string
	// dead means that the vendor will not accept the refresh token again.
	dead bool
}

func (e *vendorError) Error() string { return e.text }

// explain words an error of a call of a vendor. The secrets are what the call
// held, which some vendors repeat in their errors; the client's is always one.
func (v *vendor) explain(err error, secrets ...core.Secret) *vendorError {
	clean := cleaner(append(secrets, v.secret))
	var refused *oauth2.RetrieveError
	var answered *rest.StatusError
	var known *core.Error
	switch {
	case errors.As(err, &refused):
		return explainRefusal(refused, clean)
	case errors.As(err, &answered):
		return &vendorError{text: fmt.Sprintf("%s answered with the status %d", v.title, answered.Status)}
	case errors.Is(err, context.DeadlineExceeded):
		return &vendorError{text: v.title + " did not answer in time"}
	case errors.Is(err, context.Canceled):
		return &vendorError{text: "the call of " + v.title + " was broken off"}
	case errors.As(err, &known):
		return &vendorError{text: clean(known.Message, maxErrorDescription)}
	default:
		return &vendorError{text: "the answer of " + v.title + " is not as expected"}
	}
}

func explainRefusal(e *oauth2.RetrieveError, clean func(string, int) string) *vendorError {
	status := e.Response.StatusCode
	code := clean(e.ErrorCode, maxErrorCode)
	if code == "" {
		return &vendorError{text: fmt.Sprintf("the status of the answer is %d", status)}
	}
	text := code
	if description := clean(e.ErrorDescription, maxErrorDescription); description != "" {
		text += ": " + description
	}
	// GitHub refuses with the status 200 and a code of its own.
	told := status < 300 || status == 400 || status == 401
	return &vendorError{text: text, dead: told && (code == "invalid_grant" || code == "bad_refresh_token")}
}

// cleaner gives a function that makes a vendor's text fit to be shown: one line
// of at most n characters, without secrets.
func cleaner(secrets []core.Secret) func(text string, n int) string {
	// Of two that begin alike, the longer one is hidden whole.
	slices.SortFunc(secrets, func(a, b core.Secret) int { return len(b) - len(a) })
	var pairs []string
	for _, secret := range secrets {
		for _, form := range []string{secret.Reveal(), url.QueryEscape(secret.Reveal())} {
			if form != "" && !slices.Contains(pairs, form) {
				pairs = append(pairs, form, secret.String())
			}
		}
	}
	hide := strings.NewReplacer(pairs...)
	return func(text string, n int) string {
		text = strings.Join(strings.Fields(db.Clean(hide.Replace(text))), " ")
		if short := cut(text, n); short != text {
			return short + "…"
		}
		return text
	}
}
