package workspace

import (
	"context"
	"strings"
	"time"

	"agentserver/core"
)

// MaxFile bounds a file, in bytes. It is held in memory and travels through the
// agent as text, a third longer.
const MaxFile = 50 << 20

// fetchTimeout bounds the download of a file.
const fetchTimeout = 2 * time.Minute

// Files opens and stores files for blocks.
type Files struct {
	http    core.Doer
	timeout time.Duration
}

var _ core.Files = (*Files)(nil)

// NewFiles makes Files whose downloads go through a guarded client. The timeout
// bounds one download; 0 is two minutes.
func NewFiles(http core.Doer, timeout time.Duration) *Files {
	if timeout <= 0 {
		timeout = fetchTimeout
	}
	return &Files{http: http, timeout: timeout}
}

// Open gives the content of a data URI or an http(s) URL, its media type, and
// its name, "" when it has none. Errors are of kind Invalid for what is no
// reference, TooLarge over [MaxFile], NotFound for what is not there, and
// Unavailable for what cannot be reached now, such as files of the workspace.
// They do not repeat references, which may hold secrets.
func (f *Files) Open(ctx context.Context, _ *core.Run, ref string) (data []byte, mime, name string, err error) {
	ref = strings.TrimSpace(ref)
	scheme, _, _ := strings.Cut(ref, ":")
	switch strings.ToLower(scheme) {
	case "data":
		return openData(ref)
	case "http", "https":
		return f.fetch(ctx, ref)
	case "workspace":
		return nil, "", "", core.Errorf(core.Unavailable, "files of the workspace (workspace://) are not available on this server")
	}
	return nil, "", "", core.Errorf(core.Invalid, "a file is given as a data: URI or an http(s) URL")
}

// Put gives the content as a data URI. Without a media type it takes the one
// that the name or the content tells of.
func (f *Files) Put(_ context.Context, _ *core.Run, data []byte, mime, name string) (string, error) {
	if len(data) > MaxFile {
		return "", tooLarge()
	}
	if mime == "" {
		mime = guessType(name, data)
	}
	return core.DataURI(data, mime), nil
}

func openData(ref string) (data []byte, mime, name string, err error) {
	// Four letters of base64 are three bytes; escapes and blanks only add to it.
	// What is certainly too large is not decoded.
	if len(ref) > 3*MaxFile+1024 {
		return nil, "", "", tooLarge()
	}
	data, mime, err = core.ParseDataURI(ref)
	if err != nil {
		return nil, "", "", err
	}
	if len(data) > MaxFile {
		return nil, "", "", tooLarge()
	}
	mime, name = cleanType(mime)
	if mime == "" {
		mime = guessType(name, data)
	}
	return data, mime, name, nil
}

func tooLarge() error {
	return core.Errorf(core.TooLarge, "the file is larger than %d MB", MaxFile>>20)
}
