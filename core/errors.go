package core

import (
	"errors"
	"fmt"
)

// Kind says what went wrong in terms a caller can act on. The HTTP layer maps
// each kind to one status code.
type Kind int

const (
	// Internal is a fault of the platform or of something it depends on.
	Internal Kind = iota
	// Invalid is bad input: the request can be mended and sent again.
	Invalid
	// NotFound means the thing does not exist, or not for this user.
	NotFound
	// Forbidden means the user is known and may not do this.
	Forbidden
	// Unauthenticated means the user is not known.
	Unauthenticated
	// Conflict means the request collides with the present state.
	Conflict
	// TooLarge means a body, file or value is over its limit.
	TooLarge
	// TooMany means a rate or quota is used up for now.
	TooMany
	// PaymentRequired means the balance does not cover the request.
	PaymentRequired
	// Unavailable means a dependency is missing, down or not configured.
	Unavailable
	// Unprocessable means the request has the wrong shape.
	Unprocessable
	// PreconditionFailed means a required condition does not hold.
	PreconditionFailed
	// NotConfigured means the operator has not set what this needs.
	NotConfigured
	// Gone means that the thing was there and is not, or not any more for this user.
	Gone
	// Timeout means that somebody else did not answer in time.
	Timeout
)

// Error is an error with a kind. Message is meant for the user and must not
// hold secrets; the wrapped cause is for logs only.
type Error struct {
	Kind    Kind
	Message string
	// Detail, when set, replaces Message in the answer's "detail" member: a
	// value the web client reads, such as per-node validation errors.
	Detail any
	// Plain marks answers whose body is just {"detail": ...}.
	Plain bool
	cause error
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the private cause.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an error of a kind. A %w verb keeps the cause.
func Errorf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), cause: errors.Unwrap(err)}
}

// PlainErrorf is Errorf for answers of the short form {"detail": message}.
func PlainErrorf(kind Kind, format string, args ...any) *Error {
	e := Errorf(kind, format, args...)
	e.Plain = true
	return e
}

// WithCause makes an error whose message hides its cause from the user.
func WithCause(kind Kind, cause error, message string) *Error {
	return &Error{Kind: kind, Message: message, cause: cause}
}

// KindOf gives the kind of the nearest [Error] in err's chain, or Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// IsKind reports whether err is, or wraps, an [Error] of that kind.
func IsKind(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}
