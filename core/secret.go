package core

import "log/slog"

// Secret is text that must not appear in logs, errors or answers. Printing,
// logging or encoding it gives a row of asterisks; Reveal gives the text.
type Secret string

const redacted = "**********"

// Reveal gives the text itself, for the one place that sends it out.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString keeps %#v from printing the text.
func (s Secret) GoString() string { return s.String() }

// MarshalText redacts the secret in every text encoding, JSON included.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue redacts the secret in structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
