package openweathermap

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"agentserver/core"
	"agentserver/core/rest"
)

type weatherInput struct {
	Location    string      `json:"location" doc:"City, and after commas its state and country if need be: London,GB"`
	Credentials core.APIKey `json:"credentials" doc:"API key of OpenWeatherMap"`
	Celsius     bool        `json:"use_celsius" default:"true" doc:"Give degrees Celsius instead of Fahrenheit"`
}

type weatherOutput struct {
	Temperature core.Pin[string] `json:"temperature" doc:"Degrees"`
	Humidity    core.Pin[string] `json:"humidity" doc:"Relative humidity in percent"`
	Condition   core.Pin[string] `json:"condition" doc:"What the sky looks like"`
}

var weather = core.NewBlock(core.BlockSpec{
	ID: "f7a8b2c3-6d4e-5f8b-9e7f-6d4e5f8b9e7f", Name: "GetWeatherInformationBlock", ErrorPin: core.ErrorPinDeclared,
	Description: "Tells the present weather of a place.",
}, func(ctx context.Context, run *core.Run, in *weatherInput, out *weatherOutput) error {
	units := "imperial"
	if in.Celsius {
		units = "metric"
	}
	query := url.Values{"q": {in.Location}, "appid": {in.Credentials.Key.Reveal()}, "units": {units}}
	data, err := rest.Send(ctx, rest.Retrying{Next: run.HTTP}, rest.Request{
		Method: http.MethodGet, Header: map[string]string{"Accept": "application/json"},
		URL: "https://api.openweathermap.org/data/2.5/weather?" + strings.ReplaceAll(query.Encode(), "+", "%20"),
	})
	if err != nil {
		return err
	}
	now, err := read(data)
	if err != nil {
		return err
	}
	out.Temperature.Emit(now.Main.Temp.String())
	out.Humidity.Emit(now.Main.Humidity.String())
	out.Condition.Emit(now.Weather[0].Description)
	return nil
})
