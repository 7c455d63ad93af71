package credential

import (
	"fmt"
	"unicode/utf8"

	"agentserver/core"
	"agentserver/core/db"
)

// check collects what is wrong with an input. Unlike other answers of that
// form, its items do not repeat the input, which may be a secret.
type check struct {
	kind     core.CredentialType
	total    int
	problems []map[string]any
}

func (c *check) fail(kind, message string, loc ...any) {
	c.problems = append(c.problems, problem(kind, message, append([]any{"body", string(c.kind)}, loc...)))
}

func (c *check) required(missing bool, field string) {
	if missing {
		c.fail("missing", "Field required", field)
	}
}

func (c *check) text(s string, limit int, loc ...any) {
	c.total += len(s)
	if utf8.RuneCountInString(s) > limit {
		c.fail("string_too_long", fmt.Sprintf("String should have at most %d characters", limit), loc...)
	}
}

// exact refuses text that could not be stored as it is, where cleaning it would
// make it mean something else.
func (c *check) exact(s string, loc ...any) {
	if s != db.Clean(s) {
		c.fail("value_error", "Control characters are not allowed", loc...)
	}
}

func (c *check) secret(s core.Secret, loc ...any) {
	c.total += len(s)
	if len(s) > maxSecret {
		c.fail("string_too_long", fmt.Sprintf("String should have at most %d bytes", maxSecret), loc...)
	}
}

func (c *check) count(n, limit int, field string) {
	if n > limit {
		c.fail("too_long", fmt.Sprintf("There should be at most %d items", limit), field)
	}
}

func (c *check) time(at *int64, field string) {
	if at != nil && (*at < 0 || *at > maxUnix) {
		c.fail("value_error", "A time is a number of seconds from 1970 to the year 9999", field)
	}
}

func invalid(kind, message string, loc ...any) error {
	return &core.Error{Kind: core.Unprocessable, Message: message, Detail: []map[string]any{problem(kind, message, loc)}}
}

func problem(kind, message string, loc []any) map[string]any {
	return map[string]any{"type": kind, "loc": loc, "msg": message}
}

func cleanAll(texts []string) []string {
	cleaned := make([]string, len(texts))
	for i, text := range texts {
		cleaned[i] = db.Clean(text)
	}
	return cleaned
}
