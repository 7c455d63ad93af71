package main

import (
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"agentserver/core"
)

func newNewProvider() *cobra.Command {
	var title, dir string
	cmd := &cobra.Command{
		Use:   "new-provider NAME",
		Short: "Write the start of a new provider into a checkout of the project",
		Long: "Writes providers/<folder>/ with a block that takes an API key, settings, a test with its vectors and a\n" +
			"page, and adds the provider to plugins.go and docs/configuration.md. All tests pass from then on.\n" +
			"NAME is on the wire and in the configuration: lower snake case, such as agent_mail.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newProviderNames(args[0], title)
			if err == nil {
				err = p.free()
			}
			if err != nil {
				return err
			}
			root, err := checkoutRoot(dir)
			if err != nil {
				return err
			}
			written, err := p.write(root)
			if err != nil {
				return fmt.Errorf("writing provider %s: %w", p.Name, err)
			}
			out := cmd.OutOrStdout()
			for _, file := range written {
				fmt.Fprintln(out, file)
			}
			fmt.Fprintf(out, `
Next:
  1. go test . -run TestBlockReference -update, which writes its page in docs/blocks;
     go test ./providers/%[1]s .
     runs the block against providers/%[1]s/testdata, and checks the list of providers.
  2. Put your vendor's API into providers/%[1]s/lookup.go and testdata/%[2]s.json;
     docs/providers.md goes on from here.
  3. The operator's key is providers.%[3]s.api_key in the file, or %[4]s_API_KEY;
     "go run . providers" shows whether it is set.
`, p.Folder, p.Block, p.Name, p.Variable)
			return nil
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "name for people (default NAME with spaces and capitals)")
	cmd.Flags().StringVar(&dir, "dir", "", "root of the checkout (default the one around the working directory)")
	return cmd
}

// newProvider is what the templates of folder scaffold are filled with.
type newProvider struct {
	Name     string // wire name, such as agent_mail
	Title    string // for people
	Folder   string // folder and package, such as agentmail
	Variable string // how its variables begin, such as AGENT_MAIL
	Block    string // name of its block
	SystemID string
	BlockID  string
}

var (
	wireName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	// What stands in a title must need no escape in Go, Markdown and JSON.
	titleText = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} .,&+'/():-]{0,59}$`)
)

// reserved says why the language, its tools or the configuration give a folder
// or a name another meaning.
var reserved = map[string]string{
	"enabled":       "it is a setting of the providers",
	"disabled":      "it is a setting of the providers",
	"documentation": "the go command ignores a package of that name",
	"internal":      "the go command gives a folder of that name a meaning of its own",
	"lookup":        "one of the files that are written has that name",
	"main":          "a package of that name cannot be imported",
	"testdata":      "the go command gives a folder of that name a meaning of its own",
	"vendor":        "the go command gives a folder of that name a meaning of its own",
}

// newProviderNames checks the names and makes the rest from them.
func newProviderNames(name, title string) (*newProvider, error) {
	if len(name) > 40 || !wireName.MatchString(name) {
		return nil, core.Errorf(core.Invalid, "%q is not a name for a provider: lower snake case is needed, such as agent_mail, and at most 40 characters", name)
	}
	folder := strings.ReplaceAll(name, "_", "")
	reason := reserved[name]
	switch {
	case reserved[folder] != "":
		reason = reserved[folder]
	case token.IsKeyword(folder):
		reason = "it is a word of the Go language"
	}
	if reason != "" {
		return nil, core.Errorf(core.Invalid, "a provider cannot be named %q: %s", name, reason)
	}
	words := strings.Split(name, "_")
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	if title == "" {
		title = strings.Join(words, " ")
	}
	if !titleText.MatchString(title) {
		return nil, core.Errorf(core.Invalid, "--title needs at most 60 letters, digits, spaces or the characters . , & + ' / ( ) : -, and a letter or digit at its start")
	}
	return &newProvider{
		Name: name, Title: title, Folder: folder, Variable: strings.ToUpper(name), Block: strings.Join(words, "") + "LookupBlock",
		SystemID: uuid.NewString(), BlockID: uuid.NewString(),
	}, nil
}

// free makes sure that the names are not those of a provider that is compiled
// in.
func (p *newProvider) free() error {
	if _, taken := core.Default.Provider(p.Name); taken {
		return core.Errorf(core.Conflict, "there is a provider named %s already", p.Name)
	}
	if b, taken := core.Default.BlockByName(p.Block); taken {
		return core.Errorf(core.Conflict, "its block would be named %s, as a block of provider %s is", p.Block, b.Spec().Provider)
	}
	return nil
}

// checkoutRoot gives the root of the checkout at dir, or of the one around the
// working directory when dir is "".
func checkoutRoot(dir string) (string, error) {
	if dir != "" {
		if !isCheckout(dir) {
			return "", core.Errorf(core.Invalid, "--dir: %s is not the root of a checkout of agentserver", dir)
		}
		return dir, nil
	}
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for at := start; ; at = filepath.Dir(at) {
		if isCheckout(at) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", core.Errorf(core.Invalid, "%s is not in a checkout of agentserver: change to one, or name it with --dir", start)
		}
	}
}

// isCheckout reports whether the folder holds the go.mod of this module.
func isCheckout(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(strings.Split(string(data), "\n"), func(line string) bool {
		return slices.Equal(strings.Fields(line), []string{"module", "agentserver"})
	})
}

// exists reports whether there is something at the path.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
