package account

import (
	"net/mail"
	"strings"
	"unicode"

	"agentserver/core"
)

const emailProblem = "value is not a valid email address"

// maxEmail is the longest address that mail servers take.
const maxEmail = 254

// validEmail reports whether s is one plain address, such as ada@example.com.
func validEmail(s string) bool {
	if len(s) > maxEmail || strings.ContainsFunc(s, unicode.IsSpace) {
		return false
	}
	parsed, err := mail.ParseAddress(s)
	return err == nil && parsed.Name == "" && parsed.Address == s
}

// invalidInput makes an error about one value of a request, in the form in
// which clients get all of them: loc is the way to the value.
func invalidInput(kind, message string, input any, loc ...any) error {
	return &core.Error{Kind: core.Unprocessable, Message: message, Detail: []map[string]any{
		{"type": kind, "loc": loc, "msg": message, "input": input},
	}}
}
