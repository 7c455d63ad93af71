package main

import (
	"os"
	"slices"
	"strings"

	"agentserver/config"
	"agentserver/core"
)

// credentialForms are the values of --credentials.
//
//nolint:gosec // holds names of variables, no credentials
const credentialForms = `  INPUT=api_key:VARIABLE
  INPUT=oauth2:VARIABLE                     an access token
  INPUT=user_password:VARIABLE:VARIABLE     the name's and the password's
  INPUT=host_scoped:HOST:HEADER:VARIABLE    a header for the requests to a host`

// addCredentials opens the credentials that the command line names and puts
// them among the inputs.
func addCredentials(in core.Values, spec *core.BlockSpec, given []string) error {
	takes := map[string]*core.InputField{}
	for _, f := range spec.Fields() {
		if f.Credentials != nil {
			takes[f.Name] = f
		}
	}
	for _, text := range given {
		name, form, ok := strings.Cut(text, "=")
		if !ok {
			return core.Errorf(core.Invalid, "--credentials is to be of one of these forms:\n%s", credentialForms)
		}
		f, known := takes[name]
		if !known {
			return core.Errorf(core.Invalid, "--credentials: %s has no credentials input %q%s", spec.Name, name, config.DidYouMean(name, core.SortedKeys(takes)))
		}
		c, err := openCredential(form, providerFor(f, in, spec))
		if err != nil {
			return err
		}
		if !slices.Contains(f.Credentials.Types, c.Type()) {
			return core.Errorf(core.Invalid, "--credentials: '%s' takes %s, not %s", name, typeNames(f), c.Type())
		}
		in[name] = c
	}
	for _, name := range core.SortedKeys(takes) {
		if _, opened := in[name].(core.Credential); in[name] != nil && !opened {
			return core.Errorf(core.Invalid, "'%s' does not belong into --input: credentials are given with --credentials", name)
		}
		if f := takes[name]; f.Required {
			if _, ok := in[name].(core.Credential); !ok {
				return core.Errorf(core.Invalid, "%s needs credentials: --credentials %s=%s:…", spec.Name, name, f.Credentials.Types[0])
			}
		}
	}
	return nil
}

// providerFor gives the provider that an input's credentials are for: where an
// input chooses it, by that.
func providerFor(f *core.InputField, in core.Values, spec *core.BlockSpec) string {
	chosen := in[f.Credentials.Discriminator]
	if by, ok := spec.Field(f.Credentials.Discriminator); ok && chosen == nil {
		chosen = by.Default
	}
	if value, ok := chosen.(string); ok && f.Credentials.Mapping[value] != "" {
		return f.Credentials.Mapping[value]
	}
	return f.Credentials.Providers[0]
}

func typeNames(f *core.InputField) string {
	names := make([]string, len(f.Credentials.Types))
	for i, t := range f.Credentials.Types {
		names[i] = string(t)
	}
	return strings.Join(names, " or ")
}

// openCredential reads a credential whose secrets are in environment variables.
func openCredential(form, provider string) (core.Credential, error) {
	base := core.CredentialBase{ID: "command-line", Provider: provider, Title: "Command line"}
	parts := strings.Split(form, ":")
	last := len(parts) - 1
	switch core.CredentialType(parts[0]) {
	case core.TypeAPIKey:
		if len(parts) == 2 {
			key, err := secretOf(parts[1])
			return core.APIKey{CredentialBase: base, Key: key}, err
		}
	case core.TypeOAuth2:
		if len(parts) == 2 {
			token, err := secretOf(parts[1])
			return core.OAuth2{CredentialBase: base, AccessToken: token}, err
		}
	case core.TypeUserPassword:
		if len(parts) == 3 {
			user, err := secretOf(parts[1])
			if err != nil {
				return nil, err
			}
			password, err := secretOf(parts[2])
			return core.UserPassword{CredentialBase: base, Username: user, Password: password}, err
		}
	case core.TypeHostScoped:
		if len(parts) >= 4 { // a host may have a port
			value, err := secretOf(parts[last])
			headers := map[string]core.Secret{parts[last-1]: value}
			return core.HostScoped{CredentialBase: base, Host: strings.Join(parts[1:last-1], ":"), Headers: headers}, err
		}
	}
	return nil, core.Errorf(core.Invalid, "--credentials is to be of one of these forms:\n%s", credentialForms)
}

// secretOf reads a secret. The text is not repeated in errors: it may be the
// secret itself, given by mistake.
func secretOf(variable string) (core.Secret, error) {
	value := os.Getenv(variable)
	if value == "" {
		return "", core.Errorf(core.Invalid, "--credentials: the environment variable it names is not set")
	}
	return core.Secret(value), nil
}
