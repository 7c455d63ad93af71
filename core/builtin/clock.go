package builtin

import (
	"context"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zones that the blocks offer must work everywhere

	"github.com/ncruces/go-strftime"

	"agentserver/core"
)

// zones are the time zones on offer, from west to east.
var zones = []any{
	"UTC", "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Denver", "America/Chicago",
	"America/New_York", "America/Caracas", "America/Sao_Paulo", "America/St_Johns", "Atlantic/South_Georgia",
	"Atlantic/Azores", "Europe/London", "Europe/Paris", "Europe/Athens", "Europe/Moscow", "Asia/Tehran", "Asia/Dubai",
	"Asia/Kabul", "Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Dhaka", "Asia/Yangon", "Asia/Bangkok",
	"Asia/Shanghai", "Australia/Eucla", "Asia/Tokyo", "Australia/Adelaide", "Australia/Sydney", "Australia/Lord_Howe",
	"Pacific/Noumea", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Tongatapu", "Pacific/Kiritimati", "Etc/GMT-12",
	"Etc/GMT+12",
}

// timeFormat says how to write a moment.
type timeFormat struct {
	Kind         string `json:"discriminator"` // "strftime" or "iso8601"
	Format       string `json:"format"`
	Zone         string `json:"timezone"`
	UserZone     bool   `json:"use_user_timezone"`
	Microseconds bool   `json:"include_microseconds"`
}

// The three blocks differ in the default format and in the names of the schemas.
type (
	clockFormat  struct{ timeFormat }
	dateFormat   struct{ timeFormat }
	momentFormat struct{ timeFormat }
)

const (
	clockLayout  = "%H:%M:%S"
	dateLayout   = "%Y-%m-%d"
	momentLayout = "%Y-%m-%d %H:%M:%S"
)

func (clockFormat) JSONSchema() *core.Object  { return formatSchema("Time", clockLayout, true) }
func (dateFormat) JSONSchema() *core.Object   { return formatSchema("Date", dateLayout, false) }
func (momentFormat) JSONSchema() *core.Object { return formatSchema("", momentLayout, true) }

// formatSchema is a choice between a strftime layout and ISO 8601.
func formatSchema(prefix, layout string, microseconds bool) *core.Object {
	member := func(name, tag string, own func(*core.Object)) *core.Object {
		props := core.NewObject("discriminator", core.NewObject("const", tag, "title", "Discriminator", "type", "string"))
		if own != nil && tag == "strftime" {
			own(props)
		}
		props.Set("timezone", core.NewObject("default", "UTC", "enum", zones, "title", "Timezone", "type", "string",
			"description", "Time zone to give the time in"))
		props.Set("use_user_timezone", core.NewObject("default", false, "title", "Use User Timezone", "type", "boolean",
			"description", "Take the time zone of the user who runs the agent instead"))
		if own != nil && tag == "iso8601" {
			own(props)
		}
		return core.NewObject("properties", props, "required", []any{"discriminator"}, "title", name, "type", "object")
	}
	withLayout := func(props *core.Object) {
		props.Set("format", core.NewObject("default", layout, "title", "Format", "type", "string",
			"description", "Layout with strftime directives"))
	}
	var withMicroseconds func(*core.Object)
	if microseconds {
		withMicroseconds = func(props *core.Object) {
			props.Set("include_microseconds", core.NewObject("default", false, "title", "Include Microseconds", "type", "boolean",
				"description", "Give microseconds, too"))
		}
	}
	strf, iso := prefix+"StrftimeFormat", prefix+"ISO8601Format"
	return core.NewObject(
		"discriminator", core.NewObject(
			"mapping", core.NewObject("iso8601", "#/$defs/"+iso, "strftime", "#/$defs/"+strf),
			"propertyName", "discriminator"),
		"oneOf", []any{member(strf, "strftime", withLayout), member(iso, "iso8601", withMicroseconds)})
}

// write gives the moment in the chosen zone by the layout: fallback when the
// format has none, iso and isoMicroseconds for ISO 8601.
func (f timeFormat) write(now time.Time, run *core.Run, fallback, iso, isoMicroseconds string) (string, error) {
	zone := run.Timezone
	if !f.UserZone {
		name := f.Zone
		if name == "" {
			name = "UTC"
		}
		var err error
		if zone, err = time.LoadLocation(name); err != nil {
			return "", core.Errorf(core.Invalid, "unknown time zone %s", name)
		}
	}
	now = now.In(zone)
	switch {
	case f.Kind == "iso8601" && f.Microseconds:
		return now.Format(isoMicroseconds), nil
	case f.Kind == "iso8601":
		return now.Format(iso), nil
	case f.Format == "":
		return strftime.Format(fallback, now), nil
	}
	return strftime.Format(f.Format, now), nil
}

func timeBlocks(now func() time.Time) []core.Block {
	return []core.Block{currentTime(now), currentDate(now), currentDateTime(now), countdown()}
}

func currentTime(now func() time.Time) core.Block {
	type input struct {
		Trigger string      `json:"trigger" doc:"Anything; its arrival starts the block"`
		Format  clockFormat `json:"format_type" default:"{\"discriminator\": \"strftime\", \"format\": \"%H:%M:%S\", \"timezone\": \"UTC\", \"use_user_timezone\": false}" doc:"How to write the time"`
	}
	type output struct {
		Time core.Pin[string] `json:"time" doc:"The time of day"`
	}
	return core.NewBlock(textSpec("a892b8d9-3e4e-4e9c-9c1e-75f8efcf1bfa", "GetCurrentTimeBlock",
		"Tells the time of day."),
		func(_ context.Context, run *core.Run, in *input, out *output) error {
			text, err := in.Format.write(now(), run, clockLayout, "T15:04:05-07:00", "T15:04:05.000000-07:00")
			if err != nil {
				return err
			}
			out.Time.Emit(text)
			return nil
		})
}

func currentDate(now func() time.Time) core.Block {
	type input struct {
		Trigger string     `json:"trigger" doc:"Anything; its arrival starts the block"`
		Offset  any        `json:"offset" type:"integer | string" title:"Days Offset" default:"0" doc:"Days to go back; a negative number goes ahead"`
		Format  dateFormat `json:"format_type" default:"{\"discriminator\": \"strftime\", \"format\": \"%Y-%m-%d\", \"timezone\": \"UTC\", \"use_user_timezone\": false}" doc:"How to write the date"`
	}
	type output struct {
		Date core.Pin[string] `json:"date" doc:"The date"`
	}
	return core.NewBlock(textSpec("b29c1b50-5d0e-4d9f-8f9d-1b0e6fcbf0b1", "GetCurrentDateBlock",
		"Tells today's date, or that of another day counted from today."),
		func(_ context.Context, run *core.Run, in *input, out *output) error {
			date := now().AddDate(0, 0, -days(in.Offset))
			if y := date.Year(); y < 1 || y > 9999 {
				return core.Errorf(core.Invalid, "date value out of range: it is not of the years 1 to 9999")
			}
			text, err := in.Format.write(date, run, dateLayout, time.DateOnly, time.DateOnly)
			if err != nil {
				return err
			}
			out.Date.Emit(text)
			return nil
		})
}

// maxDays is more than there are from the year 1 to the year 9999.
const maxDays = 4_000_000

// days reads a whole number of days; anything else is none.
func days(v any) int {
	f, _ := core.Number(v)
	if s, ok := v.(string); ok {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return 0
		}
		f = float64(n)
	}
	return int(min(max(f, -maxDays), maxDays))
}

func currentDateTime(now func() time.Time) core.Block {
	type input struct {
		Trigger string       `json:"trigger" doc:"Anything; its arrival starts the block"`
		Format  momentFormat `json:"format_type" default:"{\"discriminator\": \"strftime\", \"format\": \"%Y-%m-%d %H:%M:%S\", \"timezone\": \"UTC\", \"use_user_timezone\": false}" doc:"How to write date and time"`
	}
	type output struct {
		DateTime core.Pin[string] `json:"date_time" doc:"The date and the time"`
	}
	return core.NewBlock(textSpec("716a67b3-6760-42e7-86dc-18645c6e00fc", "GetCurrentDateAndTimeBlock",
		"Tells the date and the time."),
		func(_ context.Context, run *core.Run, in *input, out *output) error {
			text, err := in.Format.write(now(), run, momentLayout, "2006-01-02T15:04:05-07:00", "2006-01-02T15:04:05.000000-07:00")
			if err != nil {
				return err
			}
			out.DateTime.Emit(text)
			return nil
		})
}
