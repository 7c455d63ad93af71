package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/platform"
)

var update = flag.Bool("update", false, "rewrite the generated pages of docs")

// docs/configuration.md is what the settings declare.
func TestConfigurationReference(t *testing.T) {
	want, err := config.Reference(platform.ProviderSettings(core.Default))
	require.NoError(t, err)
	file := filepath.Join("docs", "configuration.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "out of date; go test . -run TestConfigurationReference -update rewrites it")
}

// pages are the documents for people.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/blocks/*.md", "examples/*.md", "providers/*/*.md"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			all[file] = string(data)
		}
	}
	require.Contains(t, all, "README.md")
	return all
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(page), m[1]))
			require.NoError(t, err, "%s links to %s", page, m[1])
		}
	}
}

var (
	commandLine = regexp.MustCompile(`(?:\./|\$\(|^|\n|exec agentserver |` + "`" + `)(?:agentserver|go run \.) ([^|>#\n` + "`" + `]*)`)
	flagName    = regexp.MustCompile(`^--?([a-z-]+)`)
)

// Commands and flags in the documents exist.
func TestDocumentedCommandsExist(t *testing.T) {
	found := 0
	for page, text := range pages(t) {
		for _, m := range commandLine.FindAllStringSubmatch(text, -1) {
			words := strings.Fields(strings.TrimRight(m[1], `)\`))
			cmd, _, err := newRoot().Find(words)
			require.NoError(t, err, "%s: %s", page, m[0])
			for _, word := range words {
				name := flagName.FindStringSubmatch(word)
				if name == nil {
					continue
				}
				known := cmd.Flags().Lookup(name[1]) != nil || cmd.InheritedFlags().Lookup(name[1]) != nil ||
					len(name[1]) == 1 && cmd.Flags().ShorthandLookup(name[1]) != nil
				require.True(t, known, "%s: there is no %s in: %s", page, word, m[0])
			}
			found++
		}
	}
	require.Greater(t, found, 10, "the pattern finds the commands no more")
}

var (
	providerFile = regexp.MustCompile("(?s)`(providers/weather/[^`]+)`:\n\n```[a-z]+\n(.*?)```\n")
	variable     = regexp.MustCompile(`\bAGENTSERVER_[A-Z_]+[A-Z]\b`)
)

// The provider of docs/providers.md compiles beside the others and passes its
// own test.
func TestDocumentedProvider(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("this test needs the go command")
	}
	page, err := os.ReadFile(filepath.Join("docs", "providers.md"))
	require.NoError(t, err)
	dir := t.TempDir()
	overlay := map[string]string{}
	for _, m := range providerFile.FindAllStringSubmatch(string(page), -1) {
		file := filepath.Join(dir, m[1])
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(m[2]), 0o600))
		overlay[absolute(t, m[1])] = file
	}
	require.Len(t, overlay, 4)
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	overlayFile := writeFile(t, dir, "overlay.json", data)

	binary := filepath.Join(dir, "weather.test")
	build := exec.Command(tool, "test", "-c", "-vet=off", "-overlay", overlayFile, "-o", binary, "./providers/weather")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.Command(binary, "-test.v")
	run.Dir = filepath.Join(dir, "providers", "weather")
	out, err = run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestProvider/WeatherLookupBlock/weather_of_a_city")
	require.Contains(t, string(out), "--- PASS: TestProvider/WeatherLookupBlock/city_that_is_not_known")
}

// Variables in the documents are settings. Those of the made-up provider are
// not.
func TestDocumentedVariablesExist(t *testing.T) {
	reference, err := config.Reference(platform.ProviderSettings(core.Default))
	require.NoError(t, err)
	found := 0
	for page, text := range pages(t) {
		for _, name := range variable.FindAllString(text, -1) {
			if strings.HasPrefix(name, "AGENTSERVER_PROVIDERS_WEATHER") {
				continue
			}
			require.Contains(t, reference, "`"+name+"`", page)
			found++
		}
	}
	require.NotZero(t, found)
}

// The tour of the README works as it stands there.
func TestTour(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the tour needs %s", tool)
		}
	}
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, tour, found := strings.Cut(string(page), "\n## A tour\n")
	require.True(t, found)
	_, tour, found = strings.Cut(tour, "```sh\n")
	require.True(t, found)
	script, _, found := strings.Cut(tour, "```")
	require.True(t, found)

	dir, address := t.TempDir(), freeAddress(t)
	serving(t, dir, address)
	script = strings.ReplaceAll(script, "127.0.0.1:8006", address)
	script = strings.ReplaceAll(script, "go run .", `"$COMMAND"`)
	cmd := command(t, dir, []string{"AGENTSERVER_DATA_DIR=" + filepath.Join(dir, "data")})
	env := append(cmd.Env, "COMMAND="+cmd.Path)
	cmd = exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Env = env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 3, "%s", out)
	var r, shared run
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &r))
	require.Equal(t, "COMPLETED", r.Status)
	require.Equal(t, map[string][]any{"greeting": {"Hallo, Ada!"}}, r.Outputs)
	require.Equal(t, "null", lines[1])
	require.NoError(t, json.Unmarshal([]byte(lines[2]), &shared))
	require.Equal(t, r.Outputs, shared.Outputs)
}
