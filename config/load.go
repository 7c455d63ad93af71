package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// Options says where [Load] looks.
type Options struct {
	// File names the configuration file, which must then exist. Empty: the
	// variable AGENTSERVER_CONFIG names it, or else agentserver.yaml in the
	// working directory is read if it is there.
	File string
	// Env holds NAME=value pairs, as os.Environ gives them.
	Env []string
	// Flags holds the flags that were given: the key of a setting, and its
	// value in the form that the environment uses.
	Flags map[string]string
	// Providers maps the name of each provider that is compiled in to a
	// pointer to its settings struct, or to nil. Load reads only its type.
	Providers map[string]any
}

// A Source is where a value came from: "default", "file agentserver.yaml",
// "env DATABASE_URL" or "flag".
type Source string

// A setting is a field with its value and where that came from.
type setting struct {
	field
	provider string // "" for the platform's own
	value    any    // of the field's type
	source   Source
}

// Load reads the configuration and checks it.
//
// Names are checked first, then values, then what they mean together. The error
// has one line for each problem found; a line names the setting, where the
// value came from and what is expected, and never holds a secret.
func Load(o Options) (*Config, error) {
	c := &Config{byKey: map[string]*setting{}}
	if err := c.declare(o.Providers); err != nil {
		return nil, err
	}
	fields := make([]field, len(c.settings))
	for i, s := range c.settings {
		fields[i] = s.field
	}
	env := parseEnvironment(o.Env)
	v := viper.New()
	file, err := readFile(v, cmp.Or(o.File, env[fileVariable]))
	if err != nil {
		return nil, err
	}
	errs := checkFileKeys(v, file, fields, sortedKeys(o.Providers))
	errs = append(errs, env.checkNames(fields)...)
	errs = append(errs, checkFlags(o.Flags, c.byKey)...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...) // values cannot be trusted to stand where they belong
	}
	for i := range c.settings {
		if err := c.settings[i].resolve(v, file, env, o.Flags); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	into := reflect.ValueOf(c).Elem()
	for i := range c.settings {
		if s := &c.settings[i]; s.provider == "" {
			into.FieldByIndex(s.index).Set(reflect.ValueOf(s.value))
		}
	}
	if err := c.validate(sortedKeys(o.Providers)); err != nil {
		return nil, err
	}
	return c, nil
}

// Source tells where the value of a setting came from; "" for an unknown key.
// The keys of a provider's settings begin with providers.<name>.
func (c *Config) Source(key string) Source {
	if s := c.byKey[key]; s != nil {
		return s.source
	}
	return ""
}

// declare lists the settings of the platform and of every provider.
func (c *Config) declare(providers map[string]any) error {
	own, err := fieldsOf(reflect.TypeFor[Config](), "", "Server")
	if err != nil {
		return err
	}
	for _, f := range own {
		c.settings = append(c.settings, setting{field: f})
	}
	for _, name := range sortedKeys(providers) {
		fields, err := providerFields(name, providers[name])
		if err != nil {
			return err
		}
		for _, f := range fields {
			c.settings = append(c.settings, setting{field: f, provider: name})
		}
	}
	variables := map[string]string{fileVariable: "the configuration file"}
	for i := range c.settings {
		s := &c.settings[i]
		if other, taken := variables[s.env()]; taken {
			return fmt.Errorf("settings %s and %s share the variable %s", other, s.key, s.env())
		}
		variables[s.env()] = s.key
		c.byKey[s.key] = s
	}
	return nil
}

// resolve finds the value by the order of precedence and converts it.
func (s *setting) resolve(v *viper.Viper, file string, env environment, flags map[string]string) error {
	v.SetDefault(s.key, s.fallback)
	s.source = "default"
	parse := true
	if v.InConfig(s.key) {
		s.source, parse = Source("file "+file), false
	}
	for _, a := range slices.Backward(s.aliases) {
		if value, from := a.read(env); len(from) > 0 {
			v.Set(s.key, value)
			s.source, parse = Source("env "+strings.Join(from, "+")), true
		}
	}
	if value, ok := env[s.env()]; ok {
		v.Set(s.key, value)
		s.source, parse = Source("env "+s.env()), true
	}
	if value, ok := flags[s.key]; ok {
		v.Set(s.key, value)
		s.source, parse = "flag", true
	}
	if s.source == "default" && s.fallback == "" {
		s.value = reflect.Zero(s.typ).Interface()
		return nil
	}
	value, err := s.convert(v.Get(s.key), parse)
	if err != nil {
		return fmt.Errorf("%s (%s): %w", s.key, s.source, err)
	}
	s.value = value
	return nil
}

func checkFlags(flags map[string]string, known map[string]*setting) []error {
	var errs []error
	for _, key := range sortedKeys(flags) {
		if known[key] == nil {
			errs = append(errs, fmt.Errorf("flag: unknown key %q%s", key, DidYouMean(key, sortedKeys(known))))
		}
	}
	return errs
}
