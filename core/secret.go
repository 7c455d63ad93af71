package core

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is text that must not appear in logs, errors or answers. Printing,
// logging or encoding it gives a row of asterisks; Reveal gives the text.
//
// Package fmt prints unexported fields without asking their methods: do not
// print a struct that holds a secret in one.
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

// Format redacts the secret under every verb, the wrong ones included: those
// print the value itself when there is only a String method.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText redacts the secret in every text encoding, JSON included.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue redacts the secret in structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
