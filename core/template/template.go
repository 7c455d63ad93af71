package template

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"agentserver/core"
)

// Limits of one rendering. A template that goes over one fails with an error
// of kind [core.Invalid].
const (
	// MaxTime bounds the rendering's duration.
	MaxTime = 10 * time.Second
	// MaxOutput bounds the result and every text made on the way, in bytes.
	MaxOutput = 10 << 20
	// MaxItems bounds a range and a repeated list or text, in items.
	MaxItems = 10_000
	// MaxPower bounds the absolute values on both sides of the ** operator.
	MaxPower = 1000
	// maxMemory bounds what a rendering may allocate in all, in bytes.
	maxMemory = 256 << 20
	// maxDepth bounds the depth of evaluation, macro calls included.
	maxDepth = 2000
	// maxNesting bounds the nesting of the source.
	maxNesting = 200
	// maxBits bounds the size of an integer.
	maxBits = 1 << 17
)

// Options changes how a template is rendered.
type Options struct {
	// EscapeHTML escapes what expressions print, unless it is marked safe.
	EscapeHTML bool
}

// Render renders a template with the values as its variables. It changes
// nothing in values, and ends when ctx does. Every error in the template, and
// every limit it goes over, is a [core.Error] of kind Invalid whose message is
// meant for the template's author.
func Render(ctx context.Context, template string, values map[string]any, opts Options) (string, error) {
	return render(ctx, MaxTime, template, values, opts)
}

func render(ctx context.Context, limit time.Duration, template string, values map[string]any, opts Options) (string, error) {
	tree, err := parse(template)
	if err != nil {
		return "", invalid(err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	defer cancel()
	e := &evaluator{ctx: ctx, escape: opts.EscapeHTML, out: &strings.Builder{}}
	e.scope = newScope(nil)
	e.scope.set("range", globalRange)
	for name, v := range values {
		converted, err := e.importValue(v, 0)
		if err != nil {
			return "", invalid(err)
		}
		e.scope.set(name, converted)
	}
	e.scope = newScope(e.scope)
	if err := e.run(tree); err != nil {
		return "", invalid(err)
	}
	return e.out.String(), nil
}

var errTimeout = fmt.Errorf("Template rendering timed out after %ds (expression too complex)", int(MaxTime.Seconds()))

// invalid gives an error its kind. The end of the caller's context stays what
// it is, so that a cancelled run is not mistaken for a bad template.
func invalid(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("rendering the template: %w", err)
	}
	return core.Errorf(core.Invalid, "%s", err.Error())
}
