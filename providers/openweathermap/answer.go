package openweathermap

import (
	"strconv"
	"strings"

	"agentserver/core"
	"agentserver/core/rest"
)

// answer is what the vendor says of a place.
type answer struct {
	Main *struct {
		Temp     *number `json:"temp"`
		Humidity *number `json:"humidity"`
	} `json:"main"`
	Weather []struct {
		Description string `json:"description"`
	} `json:"weather"`
}

// read reads an answer, all parts of which are there.
func read(data []byte) (*answer, error) {
	var a answer
	if err := rest.Decode(data, &a); err != nil {
		return nil, err
	}
	if a.Main == nil || a.Main.Temp == nil || a.Main.Humidity == nil || len(a.Weather) == 0 {
		const limit = 1000
		text := string(data)
		if len(text) > limit {
			text = strings.ToValidUTF8(text[:limit], "") + "…"
		}
		return nil, core.Errorf(core.Unavailable, "Expected keys not found in response: %s", text)
	}
	return &a, nil
}

// number is a number whose text is its shortest form: 21.66, 32.
type number float64

// String gives the shortest form.
func (n number) String() string { return strconv.FormatFloat(float64(n), 'f', -1, 64) }
