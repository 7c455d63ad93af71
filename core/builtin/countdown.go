package builtin

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"

	"agentserver/core"
)

const (
	// maxWait bounds how long one run of a block waits, all its pauses together.
	maxWait = 30 * 24 * time.Hour
	// maxRepeats bounds how often a timer goes off.
	maxRepeats = 100_000
)

func countdown() core.Block {
	type input struct {
		Message any `json:"input_message" default:"\"timer finished\"" advanced:"false" doc:"What goes out when the time is over"`
		Seconds any `json:"seconds" type:"integer | string" default:"0" advanced:"false" doc:"Seconds to wait"`
		Minutes any `json:"minutes" type:"integer | string" default:"0" advanced:"false" doc:"Minutes to wait, on top of the seconds"`
		Hours   any `json:"hours" type:"integer | string" default:"0" advanced:"false" doc:"Hours to wait, on top of the rest"`
		Days    any `json:"days" type:"integer | string" default:"0" advanced:"false" doc:"Days to wait, on top of the rest; all in all at most 30"`
		Repeat  int `json:"repeat" default:"1" doc:"How often to wait and go off"`
	}
	type output struct {
		Message core.Pin[any] `json:"output_message" doc:"The message, each time that the time is over"`
	}
	return core.NewBlock(textSpec("d67a9c52-5e4e-11e2-bcfd-0800200c9a71", "CountdownTimerBlock",
		"Waits for a while, once or several times, and then passes a message on."),
		func(ctx context.Context, _ *core.Run, in *input, out *output) error {
			wait, err := waitOf(in.Days, in.Hours, in.Minutes, in.Seconds)
			if err != nil {
				return err
			}
			if in.Repeat > maxRepeats {
				return core.Errorf(core.Invalid, "the timer can go off at most %d times, not %d", maxRepeats, in.Repeat)
			}
			if total := wait * float64(max(in.Repeat, 0)); total > maxWait.Seconds() {
				return core.Errorf(core.Invalid, "the timer would run for %.0f seconds, more than 30 days (%.0f seconds)", total, maxWait.Seconds())
			}
			for range in.Repeat {
				if err := pause(ctx, time.Duration(wait*float64(time.Second))); err != nil {
					return err
				}
				out.Message.Emit(in.Message)
			}
			return nil
		})
}

// waitOf adds up a time in seconds.
func waitOf(days, hours, minutes, seconds any) (float64, error) {
	total := 0.0
	for _, part := range []struct {
		value any
		unit  float64
	}{{days, 86_400}, {hours, 3600}, {minutes, 60}, {seconds, 1}} {
		n, err := wholeNumber(part.value)
		if err != nil {
			return 0, err
		}
		total += n * part.unit
	}
	return total, nil
}

// wholeNumber reads a whole number, or text that spells one.
func wholeNumber(v any) (float64, error) {
	s, ok := v.(string)
	if !ok {
		f, _ := core.Number(v)
		return math.Trunc(f), nil
	}
	n, err := strconv.ParseInt(withoutGroups(strings.TrimSpace(s)), 10, 64)
	if err != nil {
		return 0, core.Errorf(core.Invalid, "invalid literal for int() with base 10: %s", core.Repr(brief(s)))
	}
	return float64(n), nil
}

// brief shortens a text that a message repeats.
func brief(s string) string {
	const limit = 200
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

// pause waits, or gives the context's error when that ends first. No time is no
// wait, but a run that was stopped ends all the same.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
