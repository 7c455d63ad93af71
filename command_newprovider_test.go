package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The names of these tests are such that no real provider takes them.

// checkout copies what new-provider needs, and more, into a folder.
func checkout(t *testing.T, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, pattern := range append([]string{"go.mod", "plugins.go", "docs", "providers"}, more...) {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names)
		for _, name := range names {
			to := filepath.Join(dir, name)
			if info, err := os.Stat(name); err == nil && info.IsDir() {
				require.NoError(t, os.CopyFS(to, os.DirFS(name)))
				continue
			}
			data, err := os.ReadFile(name)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(to, data, 0o600))
		}
	}
	return dir
}

// tree gives the content of each file below a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(data)
		return err
	}))
	return files
}

// added gives the files that are in one tree and not, or not so, in another.
func added(before, after map[string]string) map[string]string {
	files := map[string]string{}
	for name, text := range after {
		if old, known := before[name]; !known || old != text {
			files[name] = text
		}
	}
	return files
}

// What the command writes compiles, is formatted, and passes every test of the
// project that looks at providers.
func TestNewProvider(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("this test needs the go command")
	}
	// What the tests of the root read, and what the new provider is built from.
	dir := checkout(t, "*.md", "LICENSE", "examples", "go.sum", "core")
	before := tree(t, dir)
	out, stderr, code := output(t, filepath.Join(dir, "docs"), nil, "new-provider", "unused_example", "--title", "Unused Example (it's 24/7)")
	require.Zero(t, code, "%s", stderr)
	listed, next, _ := strings.Cut(out, "\n\n")
	require.Equal(t, []string{
		"providers/unusedexample/README.md",
		"providers/unusedexample/lookup.go",
		"providers/unusedexample/testdata/UnusedExampleLookupBlock.json",
		"providers/unusedexample/unusedexample.go",
		"providers/unusedexample/unusedexample_test.go",
		"docs/configuration.md",
		"plugins.go",
	}, strings.Split(listed, "\n"))
	for _, name := range strings.Split(listed, "\n") {
		require.NotEqual(t, before[name], tree(t, dir)[name], "%s is listed and not written", name)
	}
	require.Contains(t, next, "go test ./providers/unusedexample .")
	require.Contains(t, next, "go test . -run TestBlockReference -update")
	require.Contains(t, next, "UNUSED_EXAMPLE_API_KEY")
	_, stderr, code = output(t, t.TempDir(), nil, "new-provider", "unused9", "--dir", dir)
	require.Zero(t, code, "%s", stderr)
	files := added(before, tree(t, dir))
	require.Len(t, files, 12, "%v", files)

	run := func(in, name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Dir = in
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, "%v\n%s", args, text)
		return string(text)
	}
	packages := []string{"./providers/unusedexample", "./providers/unused9"}
	if gofmt, err := exec.LookPath("gofmt"); err == nil {
		require.Empty(t, run(dir, gofmt, "-l", "plugins.go", packages[0], packages[1]), "not formatted")
	}
	run(dir, tool, append([]string{"vet"}, packages...)...)
	said := run(dir, tool, append([]string{"test", "-v"}, packages...)...)
	require.Equal(t, 2, strings.Count(said, "--- PASS: TestSystemCredential"), "%s", said)
	for _, vector := range []string{"UnusedExampleLookupBlock/something_that_is_known", "Unused9LookupBlock/something_that_is_not_known"} {
		require.Contains(t, said, "--- PASS: TestProvider/"+vector)
	}

	// The command is built from the real tree with the new files laid over it:
	// its packages are compiled already, those of the copy are not.
	overlay := map[string]string{}
	for name := range files {
		if strings.HasSuffix(name, ".go") {
			overlay[absolute(t, name)] = filepath.Join(dir, name)
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	built := t.TempDir()
	overlayFile, binary := writeFile(t, built, "overlay.json", data), filepath.Join(built, "agentserver.test")
	run("", tool, "test", "-c", "-vet=off", "-overlay", overlayFile, "-o", binary, ".")
	run(dir, binary, "-test.run", "^TestBlockReference$", "-update")
	said = run(dir, binary, "-test.v", "-test.run",
		"^Test(BlockReference|PluginsAre|ProvidersHaveReadmes|ConfigurationReference|LinksLead|DocumentedCommands|DocumentedVariables)")
	require.Equal(t, 7, strings.Count(said, "--- PASS: Test"), "%s", said)
	cmd := exec.Command(binary, "providers")
	cmd.Dir, cmd.Env = t.TempDir(), []string{asCommand + "=1", "UNUSED9_API_KEY=canary"}
	text, err := cmd.Output()
	require.NoError(t, err)
	list := strings.Join(strings.Fields(string(text)), " ")
	require.Contains(t, list, "unused9 on 1 api_key set")
	require.Contains(t, list, "unused_example on 1 api_key not set (providers.unused_example.api_key or UNUSED_EXAMPLE_API_KEY)")
}

// The order in which providers are added does not show.
func TestNewProvidersAreSorted(t *testing.T) {
	t.Parallel()
	var results []map[string]string
	for _, order := range [][]string{{"unused_mail", "unused_mango", "zz_unused"}, {"zz_unused", "unused_mail", "unused_mango"}} {
		dir := checkout(t)
		for _, name := range order {
			_, stderr, code := output(t, dir, nil, "new-provider", name)
			require.Zero(t, code, "%s", stderr)
		}
		files := tree(t, dir)
		results = append(results, map[string]string{"plugins.go": files["plugins.go"], "docs": files["docs/configuration.md"]})
	}
	require.Equal(t, results[0], results[1])
	require.Equal(t, 1, strings.Count(results[0]["plugins.go"], "providers/unusedmango"))
	headings := regexp.MustCompile(`(?m)^### \S+`).FindAllString(results[0]["docs"], -1)
	require.IsIncreasing(t, headings)
	require.Contains(t, headings, "### unused_mail")
}

// Lines that were left behind by hand are not written twice.
func TestNewProviderAfterItsFolderWasRemoved(t *testing.T) {
	t.Parallel()
	dir := checkout(t)
	for range 2 {
		_, stderr, code := output(t, dir, nil, "new-provider", "unused_mail")
		require.Zero(t, code, "%s", stderr)
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "providers", "unusedmail")))
	}
	files := tree(t, dir)
	require.Equal(t, 1, strings.Count(files["plugins.go"], "agentserver/providers/unusedmail"))
	require.Equal(t, 1, strings.Count(files["docs/configuration.md"], "### unused_mail\n"))
}

func TestNewProviderRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		args   []string
		change func(t *testing.T, dir string)
		want   []string
	}{
		{name: "no name", want: []string{"arg"}},
		{name: "capitals", args: []string{"AcmeMail"}, want: []string{`"AcmeMail"`, "lower snake case"}},
		{name: "dashes", args: []string{"acme-mail"}, want: []string{`"acme-mail"`, "lower snake case"}},
		{name: "path", args: []string{"../acme"}, want: []string{"lower snake case"}},
		{name: "digit first", args: []string{"9acme"}, want: []string{"lower snake case"}},
		{name: "long", args: []string{strings.Repeat("a", 41)}, want: []string{"40 characters"}},
		{name: "word of Go", args: []string{"type"}, want: []string{`"type"`, "Go language"}},
		{name: "word of Go without underscores", args: []string{"f_or"}, want: []string{`"f_or"`, "Go language"}},
		{name: "folder of Go", args: []string{"internal"}, want: []string{`"internal"`, "go command"}},
		{name: "setting", args: []string{"disabled"}, want: []string{`"disabled"`, "setting"}},
		{name: "file", args: []string{"look_up"}, want: []string{`"look_up"`, "files"}},
		{name: "registered", args: []string{"agent_mail"}, want: []string{"agent_mail already"}},
		{name: "the platform's", args: []string{"core"}, want: []string{"core already"}},
		{name: "folder of another name", args: []string{"agentmail"}, want: []string{"providers/agentmail is there already"}},
		{name: "file in the way", args: []string{"unused"}, want: []string{"providers/unused is there already"}, change: func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "providers"), "unused", nil)
		}},
		{name: "title that ends a text", args: []string{"unused", "--title", `Acme" + "x`}, want: []string{"--title"}},
		{name: "title that ends a tag", args: []string{"unused", "--title", "Acme`"}, want: []string{"--title"}},
		{name: "title with a line break", args: []string{"unused", "--title", "Acme\nx"}, want: []string{"--title"}},
		{name: "no checkout", args: []string{"unused"}, want: []string{"not in a checkout"}, change: func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "go.mod")))
		}},
		{name: "another module", args: []string{"unused"}, want: []string{"not in a checkout"}, change: func(t *testing.T, dir string) {
			writeFile(t, dir, "go.mod", []byte("module agentserver2\n"))
		}},
		{name: "folder that is no root", args: []string{"unused", "--dir", "docs"}, want: []string{"--dir", "docs"}},
		{name: "list that does not parse", args: []string{"unused"}, want: []string{"provider unused", "plugins.go"}, change: func(t *testing.T, dir string) {
			writeFile(t, dir, "plugins.go", []byte("package main\nimport (\n"))
		}},
		{name: "reference without its section", args: []string{"unused"}, want: []string{"provider unused", "docs/configuration.md"}, change: func(t *testing.T, dir string) {
			writeFile(t, filepath.Join(dir, "docs"), "configuration.md", []byte("# Configuration\n"))
		}},
		{name: "no list", args: []string{"unused"}, want: []string{"provider unused", "plugins.go"}, change: func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "plugins.go")))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := checkout(t)
			if c.change != nil {
				c.change(t, dir)
			}
			before := tree(t, dir)
			stdout, stderr, code := output(t, dir, nil, append([]string{"new-provider"}, c.args...)...)
			require.Equal(t, 1, code, "%s", stdout)
			require.Empty(t, stdout)
			requireOneLine(t, stderr, c.want...)
			require.Equal(t, before, tree(t, dir), "something was written")
		})
	}
}

// When the last step fails, the ones before it are undone.
func TestNewProviderIsAllOrNothing(t *testing.T) {
	t.Parallel()
	dir := checkout(t)
	before := tree(t, dir)
	p, err := newProviderNames("unused", "")
	require.NoError(t, err)
	files, err := p.files()
	require.NoError(t, err)
	first, err := editOf(dir, "docs/configuration.md", p.addSettings)
	require.NoError(t, err)
	last := &edit{name: "plugins.go", path: filepath.Join(dir, "missing", "plugins.go")}
	require.ErrorIs(t, place(filepath.Join(dir, "providers", p.Folder), files, first, last), fs.ErrNotExist)
	require.Equal(t, before, tree(t, dir))
	require.NoDirExists(t, filepath.Join(dir, "providers", p.Folder))
	require.ErrorIs(t, place(filepath.Join(dir, "missing", p.Folder), files, first), fs.ErrNotExist)
	require.Equal(t, before, tree(t, dir))
}

// docs/providers.md goes on from what the command writes.
func TestTutorialStartsWithNewProvider(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("docs", "providers.md"))
	require.NoError(t, err)
	p, err := newProviderNames("weather", "Example Weather")
	require.NoError(t, err)
	files, err := p.files()
	require.NoError(t, err)
	require.Len(t, files, 5)
	id := regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	shown := 0
	for _, m := range providerFile.FindAllStringSubmatch(string(page), -1) {
		name := strings.TrimPrefix(m[1], "providers/weather/")
		require.Contains(t, files, name)
		if name == "weather.go" || name == "weather_test.go" {
			require.Equal(t, id.ReplaceAllString(string(files[name]), "ID"), id.ReplaceAllString(m[2], "ID"), name)
			shown++
		}
	}
	require.Equal(t, 2, shown)
}
