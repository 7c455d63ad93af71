package video

import (
	"path/filepath"
	"regexp"
	"strings"

	"agentserver/core"
)

const uuidPattern = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

var (
	// opPrefix is what blocks put before the name of a file that they make, id
	// of the node run and operation; idPrefix is any prefix with such an id.
	opPrefix = regexp.MustCompile(`^[a-zA-Z0-9_-]*` + uuidPattern +
		`[a-zA-Z0-9_-]*_(?:clip|overlay|narrated|looped|concat|audio_attached|with_audio|narration)_`)
	idPrefix = regexp.MustCompile(`^[a-zA-Z0-9_-]*` + uuidPattern + `[a-zA-Z0-9_-]*_`)
)

// maxSource is the most characters of a source's name in an output's.
const maxSource = 50

// sourceName gives the name of a file as its maker called it: without
// extension and without what earlier blocks have put before it.
func sourceName(name string) string {
	name = filepath.Base(name)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	for opPrefix.MatchString(name) {
		name = opPrefix.ReplaceAllString(name, "")
	}
	name = idPrefix.ReplaceAllString(name, "")
	if name == "" || name == "." {
		return "video"
	}
	if runes := []rune(name); len(runes) > maxSource {
		name = string(runes[:maxSource])
	}
	return name
}

// outputName names what an operation makes of a source.
func outputName(run *core.Run, op string, source *core.LocalFile, format string) string {
	return run.NodeExecID + "_" + op + "_" + sourceName(source.Name) + "." + format
}
