package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
)

var providerName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// providerFields reads the tags of a provider's settings.
func providerFields(name string, settings any) ([]field, error) {
	if !providerName.MatchString(name) || name == "enabled" || name == "disabled" {
		return nil, fmt.Errorf("a provider cannot be named %q", name)
	}
	t, err := settingsType(name, settings)
	if t == nil {
		return nil, err
	}
	return fieldsOf(t, "providers."+name+".", name)
}

// FillSettings sets the fields of a provider's settings struct. The provider
// and the struct's type must be among those that [Load] was told of; values
// were checked there.
func (c *Config) FillSettings(provider string, settings any) error {
	fields, err := providerFields(provider, settings)
	if err != nil {
		return err
	}
	for i := range fields {
		f := &fields[i]
		s := c.byKey[f.key]
		if s == nil || s.typ != f.typ {
			return fmt.Errorf("filling settings of provider %s: %s was not declared when the configuration was loaded", provider, f.key)
		}
		reflect.ValueOf(settings).Elem().FieldByIndex(f.index).Set(reflect.ValueOf(s.value))
	}
	return nil
}

// checkProviderNames finds names in providers.enabled and providers.disabled
// that are not compiled in.
func (c *Config) checkProviderNames(known []string) []error {
	var errs []error
	for _, list := range []struct {
		key   string
		names []string
	}{{"providers.enabled", c.Providers.Enabled}, {"providers.disabled", c.Providers.Disabled}} {
		for _, name := range list.names {
			if !slices.Contains(known, name) {
				errs = append(errs, c.problem(list.key, "unknown provider %q%s", name, DidYouMean(name, known)))
			}
		}
	}
	return errs
}

// Unset names the secret settings of a provider that have no value, each with
// the variables that set it.
func (c *Config) Unset(provider string, settings any) []string {
	fields, err := providerFields(provider, settings)
	if err != nil {
		return nil
	}
	var names []string
	for i := range fields {
		f := &fields[i]
		s := c.byKey[f.key]
		if s == nil || !f.secret || !reflect.ValueOf(s.value).IsZero() {
			continue
		}
		name := f.key
		for _, a := range f.aliases {
			name += " or " + a.String()
		}
		names = append(names, name)
	}
	return names
}
