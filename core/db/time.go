package db

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// jsonTime is how times stand in JSON: UTC, always three digits and a Z.
const jsonTime = "2006-01-02T15:04:05.000Z"

// Time is an instant with milliseconds in UTC, in rows and in JSON. The zero
// Time is NULL and null.
type Time struct{ time.Time }

var (
	_ driver.Valuer = Time{}
	_ sql.Scanner   = (*Time)(nil)
)

// Now gives the present.
func Now() Time { return At(time.Now()) }

// At gives t in UTC, cut to the millisecond.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{t.UTC().Truncate(time.Millisecond)}
}

// GormDataType makes gorm treat it as it treats time.Time.
func (Time) GormDataType() string { return "time" }

// Value gives what the driver stores.
func (t Time) Value() (driver.Value, error) {
	if t.IsZero() {
		return nil, nil
	}
	return At(t.Time).Time, nil
}

// Scan reads a time, or the text that SQLite gives for an expression such as
// max(created_at), whose type it does not know.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
	case time.Time:
		*t = At(v)
	case string:
		return t.parse(v)
	case []byte:
		return t.parse(string(v))
	default:
		return fmt.Errorf("reading a time: got %T", src)
	}
	return nil
}

func (t *Time) parse(s string) error {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"} {
		if v, err := time.Parse(layout, s); err == nil {
			*t = At(v)
			return nil
		}
	}
	return fmt.Errorf("reading a time: %.40q is not one", s)
}

// String gives the JSON form without quotes, or "" for the zero Time.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(jsonTime)
}

// MarshalJSON writes YYYY-MM-DDTHH:MM:SS.mmmZ, or null for the zero Time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON reads null or an ISO 8601 time; one without a zone is UTC.
func (t *Time) UnmarshalJSON(data []byte) error {
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("reading a time: %w", err)
	}
	if s == nil {
		*t = Time{}
		return nil
	}
	return t.parse(*s)
}
