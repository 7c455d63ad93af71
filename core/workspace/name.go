package workspace

import (
	"mime"
	"net/http"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"agentserver/core"
)

// maxName bounds the name of a file, in bytes.
const maxName = 200

// vague are media types that say nothing of the content.
var vague = map[string]bool{
	"application/octet-stream": true, "binary/octet-stream": true, "application/x-download": true, "application/force-download": true,
}

// nameOf gives a file's name from the header of an answer, or else from the
// path of its URL; "" when neither tells.
func nameOf(disposition, urlPath string) string {
	if name := cleanName(dispositionName(disposition)); name != "" {
		return name
	}
	return cleanName(path.Base(urlPath))
}

// cleanName makes a name harmless: it is no path and has no characters that
// file systems or headers take for something else.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError || unicode.IsControl(r):
			return -1
		case strings.ContainsRune(`<>:"/\|?*`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if strings.Trim(name, "._") == "" {
		return ""
	}
	if len(name) <= maxName {
		return name
	}
	ext := path.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	return strings.ToValidUTF8(name[:maxName-len(ext)], "") + ext
}

// cleanType gives a media type in lower case, with its charset as the only
// parameter and without blanks, and the file name among its other parameters.
// It gives "" for what is not a media type.
func cleanType(text string) (kind, name string) {
	kind, params, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(kind, "/") {
		return "", ""
	}
	name = params["name"]
	if name == "" {
		name = params["filename"]
	}
	if charset := params["charset"]; charset != "" {
		kind = strings.ReplaceAll(mime.FormatMediaType(kind, map[string]string{"charset": charset}), "; ", ";")
	}
	return kind, cleanName(name)
}

// guessType gives the media type that a name or, failing that, the content
// tells of.
func guessType(name string, data []byte) string {
	if kind := core.FileType(name); kind != "" {
		return kind
	}
	kind, _ := cleanType(http.DetectContentType(data))
	return kind
}

// knownType gives the declared type, or, when that says nothing, the one that
// the name or the beginning of the content tells of.
func knownType(declared, name string, head []byte) string {
	if declared == "" || vague[declared] {
		return guessType(name, head)
	}
	return declared
}
