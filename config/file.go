package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// DefaultFile is read from the working directory when no file is named.
const DefaultFile = "agentserver.yaml"

// readFile loads the file into v and gives its name, "" when there is none.
// Only a file that was named must exist.
func readFile(v *viper.Viper, named string) (string, error) {
	path := named
	if path == "" {
		path = DefaultFile
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
	}
	v.SetConfigFile(path)
	v.SetConfigType("yaml")
	if err := v.ReadInConfig(); err != nil {
		return "", fmt.Errorf("reading the configuration file: %w", oneLine(err, path))
	}
	return path, nil
}

// oneLine keeps the first problem of a YAML file, with the file's name.
func oneLine(err error, path string) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return err
	}
	var parse viper.ConfigParseError
	if errors.As(err, &parse) {
		err = parse.Unwrap()
	}
	return fmt.Errorf("%s: %s", path, strings.Join(strings.Fields(err.Error()), " "))
}

// checkFileKeys gives one error for each key of the file that is no setting.
// v holds nothing but the file.
func checkFileKeys(v *viper.Viper, path string, fields []field, providers []string) []error {
	known := make([]string, len(fields))
	for i := range fields {
		known[i] = fields[i].key
	}
	keys := v.AllKeys()
	slices.Sort(keys)
	var problems []string
	for _, key := range keys {
		problem := keyProblem(key, v.Get(key) == nil, known, providers)
		if problem != "" && !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	errs := make([]error, len(problems))
	for i, problem := range problems {
		errs[i] = fmt.Errorf("file %s: %s", path, problem)
	}
	return errs
}

// keyProblem says what is wrong with a key of the file, or "".
func keyProblem(key string, empty bool, known, providers []string) string {
	if slices.Contains(known, key) {
		return ""
	}
	for _, k := range known {
		if strings.HasPrefix(key, k+".") {
			return fmt.Sprintf("%q takes a value, not a section", k)
		}
	}
	rest, inProviders := strings.CutPrefix(key, "providers.")
	provider, _, _ := strings.Cut(rest, ".")
	switch {
	case inProviders && !slices.Contains(providers, provider):
		return fmt.Sprintf("unknown provider %q%s", provider, DidYouMean(provider, providers))
	case isSection(key, known) || rest == provider && inProviders:
		if empty {
			return ""
		}
		return fmt.Sprintf("%q is a section, not a value", key)
	}
	return fmt.Sprintf("unknown key %q%s", key, DidYouMean(key, known))
}

func isSection(key string, known []string) bool {
	return slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, key+".") })
}
