package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// fileVariable names the configuration file; it is not a setting itself.
const fileVariable = envPrefix + "CONFIG"

// ImportKey is the variable with the key that sealed the credentials to import.
// It is no setting, so that it does not stay in a file or show in a list of
// processes.
const ImportKey = envPrefix + "IMPORT_KEY"

// ignoredVariables begin like ours and mean something else: the AutoGPT
// Platform uses this one for the address of an internal service.
var ignoredVariables = []string{"AGENTSERVER_HOST"}

// environment is the environment as name and value.
type environment map[string]string

// Kubernetes sets variables for each service of a namespace. A service named
// agentserver or redis makes some that look like settings: AGENTSERVER_PORT and
// REDIS_PORT, both tcp://10.0.0.7:1234, and AGENTSERVER_SERVICE_HOST.
var (
	serviceAddress = regexp.MustCompile(`^(tcp|udp|sctp)://`)
	serviceName    = regexp.MustCompile(`_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`)
)

// parseEnvironment reads NAME=value pairs. Of a name given twice the last
// counts.
func parseEnvironment(pairs []string) environment {
	env := make(environment, len(pairs))
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasSuffix(name, "_PORT") && serviceAddress.MatchString(value) {
			continue
		}
		env[name] = value
	}
	return env
}

// checkNames gives one error for each variable that begins like ours and is no
// setting.
func (e environment) checkNames(fields []field) []error {
	known := []string{fileVariable, ImportKey}
	for i := range fields {
		known = append(known, fields[i].env())
	}
	var errs []error
	for _, name := range sortedKeys(e) {
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(known, name) {
			continue
		}
		if slices.Contains(ignoredVariables, name) || serviceName.MatchString(name) {
			continue
		}
		errs = append(errs, fmt.Errorf("environment: unknown variable %s%s", name, DidYouMean(name, known)))
	}
	return errs
}
