package account

import (
	"context"
	_ "embed"
	"strings"
	"sync"
	_ "time/tzdata" // the zones themselves, for machines without them
)

//go:embed timezones.txt
var timezoneList string

// Timezones gives the names that a user can choose from, sorted. The slice must
// not be changed.
var Timezones = sync.OnceValue(func() []string { return strings.Fields(timezoneList) })

var timezoneSet = sync.OnceValue(func() map[string]bool {
	set := make(map[string]bool, len(Timezones()))
	for _, name := range Timezones() {
		set[name] = true
	}
	return set
})

// TimezoneResponse is a user's time zone.
type TimezoneResponse struct {
	// Timezone is one of [Timezones] or [NoTimezone].
	Timezone string `json:"timezone"`
}

// Timezone gives a user's time zone, or an error of kind core.NotFound.
func (s *Service) Timezone(ctx context.Context, userID string) (TimezoneResponse, error) {
	r, err := s.row(ctx, userID)
	if err != nil {
		return TimezoneResponse{}, err
	}
	return TimezoneResponse{Timezone: r.Timezone}, nil
}

// SetTimezone changes it. The kind of the error is core.Unprocessable for a
// name that is not one of [Timezones], and core.NotFound.
func (s *Service) SetTimezone(ctx context.Context, userID, name string) (TimezoneResponse, error) {
	if !timezoneSet()[name] {
		return TimezoneResponse{}, invalidInput("TimeZoneName", "Invalid timezone name.", name, "body", "timezone")
	}
	if err := s.change(ctx, userID, map[string]any{"timezone": name}); err != nil {
		return TimezoneResponse{}, err
	}
	return TimezoneResponse{Timezone: name}, nil
}
