// Package openweathermap tells the weather by OpenWeatherMap.
//
// The vendor's documentation of the call is at https://openweathermap.org/current.
package openweathermap

import "agentserver/core"

// systemID is known to clients.
const systemID = "8b3d4e5f-6a7b-8c9d-0e1f-2a3b4c5d6e7f"

const systemTitle = "Use Credits for OpenWeatherMap"

// settings are the operator's, under providers.openweathermap.
type settings struct {
	APIKey core.Secret `key:"api_key" doc:"API key whose use the operator pays for" env:"OPENWEATHERMAP_API_KEY"`
}

var config = &settings{}

var provider = &core.Provider{
	Name:     "openweathermap",
	Title:    "OpenWeatherMap",
	Settings: config,
	Auth:     []core.AuthMethod{core.APIKeyAuth{Help: "Create a key at https://home.openweathermap.org/api_keys"}},
	System:   []core.SystemCredential{{ID: systemID, Title: systemTitle, Load: config.credential}},
	Blocks:   []core.Block{weather},
}

func init() { core.Register(provider) }

// credential is the operator's key, if there is one.
func (s *settings) credential() core.Credential {
	if s.APIKey == "" {
		return nil
	}
	return core.APIKey{
		CredentialBase: core.CredentialBase{ID: systemID, Provider: "openweathermap", Title: systemTitle},
		Key:            s.APIKey,
	}
}
