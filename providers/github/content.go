package github

import (
	"context"
	"encoding/base64"
	"regexp"
	"strings"

	"agentserver/core"
)

// fileContent is a file to write, in the form in which GitHub takes it.
type fileContent struct {
	path     string
	content  string
	encoding string // utf-8 or base64
	sha      string // once GitHub has it
}

// openContent reads a content that users give: a text, or a reference to a file.
func openContent(ctx context.Context, run *core.Run, path, text string) (fileContent, error) {
	if !isReference(text) {
		return fileContent{path: path, content: text, encoding: "utf-8"}, nil
	}
	data, err := openReference(ctx, run, strings.TrimSpace(text))
	if err != nil {
		return fileContent{}, core.Errorf(core.KindOf(err), "opening the content of %s: %w", path, err)
	}
	return fileContent{path: path, content: base64.StdEncoding.EncodeToString(data), encoding: "base64"}, nil
}

// dataURI is how a data URI starts, up to its comma.
var dataURI = regexp.MustCompile(`^data:[\w.+-]+/[\w.+-]+(;[\w.+=-]+)*$`)

// isReference reports whether a content stands for a file. A text that only
// begins like an address, and has blanks or more lines, is a text.
func isReference(text string) bool {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "data:") {
		head, _, ok := strings.Cut(text, ",")
		return ok && dataURI.MatchString(head)
	}
	for _, scheme := range []string{"workspace://", "http://", "https://"} {
		if strings.HasPrefix(text, scheme) {
			return !strings.ContainsAny(text, " \t\r\n")
		}
	}
	return false
}

// openReference gives the bytes of a file.
func openReference(ctx context.Context, run *core.Run, ref string) ([]byte, error) {
	head, payload, _ := strings.Cut(ref, ",")
	if !strings.HasPrefix(head, "data:") || !strings.HasSuffix(head, ";base64") {
		data, _, _, err := run.Files.Open(ctx, run, ref)
		return data, err
	}
	data, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		return nil, core.Errorf(core.Invalid, "its data URI is not base64: %w", err)
	}
	return data, nil
}
