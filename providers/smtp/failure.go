package smtp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"syscall"
	"unicode"

	"agentserver/core"
)

// stage is where a session is, which tells what a refusal means.
type stage int

const (
	stageDial stage = iota
	stageGreeting
	stageTLS
	stageAuth
	stageSender
	stageRecipient
	stageData
)

var (
	errNoTLS  = errors.New("no STARTTLS")
	errNoAuth = errors.New("no way to sign in")
)

// tlsError is a failure of TLS before the greeting.
type tlsError struct{ err error }

func (e *tlsError) Error() string { return e.err.Error() }
func (e *tlsError) Unwrap() error { return e.err }

// recipientError is a refusal of one recipient.
type recipientError struct {
	to  string
	err error
}

func (e *recipientError) Error() string { return e.err.Error() }
func (e *recipientError) Unwrap() error { return e.err }

// explain puts a failure into the words that users know. The texts are facts.
func (s *session) explain(ctx context.Context, at stage, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var known *core.Error
	if errors.As(err, &known) { // of the guard, which knows addresses that must not be reached
		return known
	}
	say := func(kind core.Kind, format string, args ...any) error {
		return core.WithCause(kind, err, fmt.Sprintf(format, args...))
	}
	var timeout net.Error
	var inTLS *tlsError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded):
		return say(core.Timeout, "Connection timeout to '%s' on port %d. The server may be down or unreachable.", s.host, s.port)
	case errors.Is(err, syscall.ECONNREFUSED):
		return say(core.Unavailable, "Connection refused to '%s' on port %d. Common SMTP ports are: 587 (TLS), 465 (SSL), 25 (plain). Please verify the port is correct.", s.host, s.port)
	case at == stageDial:
		return say(core.Unavailable, "Cannot connect to SMTP server '%s'. Please verify the server address is correct.", s.host)
	case errors.Is(err, errNoTLS):
		return say(core.Invalid, "STARTTLS not supported by server '%s'. Try using port 465 for SSL or port 25 for unencrypted connection.", s.host)
	case at == stageTLS || errors.As(err, &inTLS):
		return say(core.Unavailable, "SSL/TLS error when connecting to '%s': %s. The server may require a different security protocol.", s.host, said(err))
	case errors.Is(err, errNoAuth):
		return say(core.Invalid, "SMTP server '%s' does not let users sign in with a username and a password.", s.host)
	case gone(err):
		return say(core.Unavailable, "SMTP server '%s' disconnected unexpectedly.", s.host)
	}
	return s.refusal(at, err, say)
}

// gone reports whether the server has closed the connection.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

// refusal explains what the server answered at a stage.
func (s *session) refusal(at stage, err error, say func(core.Kind, string, ...any) error) error {
	switch at {
	case stageAuth:
		return say(core.Forbidden, "Authentication failed. Please verify your username and password are correct.")
	case stageSender:
		return say(core.Invalid, "Sender email address defined in the credentials that were used was rejected by the server. Please verify your account is authorized to send emails.")
	case stageRecipient:
		var refused *recipientError
		to := ""
		if errors.As(err, &refused) {
			to = refused.to
		}
		return say(core.Invalid, "Recipient email address '%s' was rejected by the server. Please verify the email address is valid.", to)
	case stageData:
		return say(core.Invalid, "Email data rejected by server: %s", said(err))
	}
	return say(core.Unavailable, "Cannot connect to SMTP server '%s' on port %d.", s.host, s.port)
}

// said is what the server answered, or else the failure's own text, on one line.
func said(err error) string {
	text := err.Error()
	var answer *textproto.Error
	if errors.As(err, &answer) {
		text = fmt.Sprintf("%d %s", answer.Code, answer.Msg)
	}
	return brief(strings.Join(strings.FieldsFunc(text, unicode.IsControl), " "))
}
