package core_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

func TestFileTypes(t *testing.T) {
	for name, want := range map[string]string{
		"a.png": "image/png", "photos/a.b.JPG": "image/jpeg", "a.jpeg": "image/jpeg", "voice.oga": "audio/ogg", "a.wav": "audio/wav",
		"a": "", "a.": "", ".png": "image/png", "a.unknown": "", "": "",
	} {
		require.Equal(t, want, core.FileType(name), name)
	}
	for mime, want := range map[string]string{
		"image/jpeg": ".jpg", "Image/PNG": ".png", "text/plain; charset=utf-8": ".txt", "audio/ogg": ".ogg", "audio/x-wav": ".wav",
		"application/octet-stream": "", "": "", "x/y": "",
	} {
		require.Equal(t, want, core.FileExtension(mime), mime)
	}
}
