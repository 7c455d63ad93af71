package webhook

import (
	"fmt"
	"regexp"
	"strings"

	"agentserver/core"
	"agentserver/core/db"
)

// Feedback says what a user has to fill in before a webhook can be set up.
type Feedback struct{ Text string }

// Error is the text.
func (f *Feedback) Error() string { return f.Text }

func feedback(format string, args ...any) error { return &Feedback{fmt.Sprintf(format, args...)} }

// longestResource bounds what a webhook is about.
const longestResource = 500

// wanted is what a trigger needs of a webhook.
type wanted struct {
	*core.WebhookConfig
	resource string
	events   []string
	// credentials is the reference that the inputs name; its ID is "" for manual
	// webhooks.
	credentials core.CredentialRef
}

// read finds out what a block with these inputs needs. Its error is [Feedback]
// when inputs are missing.
func read(spec *core.BlockSpec, inputs core.Values) (wanted, error) {
	w := wanted{WebhookConfig: spec.Webhook}
	var err error
	if w.events, err = Events(w.WebhookConfig, inputs); err != nil {
		return w, err
	}
	if w.Manual {
		return w, nil
	}
	var missing string
	if w.resource, missing = resource(w.Resource, inputs); missing != "" {
		return w, feedback("Cannot auto-setup %s webhook without resource: missing input for '%s'", w.Provider, missing)
	}
	if db.Clean(w.resource) != w.resource || len(w.resource) > longestResource {
		return w, core.PlainErrorf(core.Invalid, "The resource of the %s webhook holds control characters or is longer than %d bytes", w.Provider, longestResource)
	}
	for _, f := range spec.Fields() {
		if f.Credentials == nil {
			continue
		}
		if w.credentials = reference(inputs[f.Name]); w.credentials.ID == "" {
			return w, feedback("Cannot set up %s webhook without credentials", w.Provider)
		}
	}
	return w, nil
}

// Events gives the event types that a trigger with these inputs waits for; none
// means every one. Its error is [Feedback].
func Events(w *core.WebhookConfig, inputs core.Values) ([]string, error) {
	if w.EventFilter == "" {
		if w.EventFormat == "" || strings.Contains(w.EventFormat, "{event}") {
			return nil, nil
		}
		return []string{w.EventFormat}, nil
	}
	filter, _ := inputs[w.EventFilter].(map[string]any)
	if len(filter) == 0 {
		return nil, feedback("Cannot set up %s webhook without event filter input: missing input for '%s'", w.Provider, w.EventFilter)
	}
	var events []string
	for _, key := range core.SortedKeys(filter) {
		if on, _ := filter[key].(bool); on {
			events = append(events, w.Event(key))
		}
	}
	if len(events) == 0 {
		return nil, feedback("Cannot set up %s webhook without any enabled events in event filter input '%s'", w.Provider, w.EventFilter)
	}
	return events, nil
}

var placeholder = regexp.MustCompile(`\{([^{}]+)\}`)

// resource fills a format such as "{base_id}/{table}" from inputs. It names the
// first one that is missing.
func resource(format string, inputs core.Values) (filled, missing string) {
	filled = placeholder.ReplaceAllStringFunc(format, func(match string) string {
		name := match[1 : len(match)-1]
		value, _ := inputs[name].(string)
		if value = strings.TrimSpace(value); value == "" && missing == "" {
			missing = name
		}
		return value
	})
	return filled, missing
}

// reference reads the value of a credentials input.
func reference(value any) core.CredentialRef {
	switch v := value.(type) {
	case core.CredentialRef:
		return v
	case map[string]any:
		text := func(key string) string { t, _ := v[key].(string); return t }
		return core.CredentialRef{ID: text("id"), Provider: text("provider"), Type: core.CredentialType(text("type"))}
	}
	return core.CredentialRef{}
}
