package workspace_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/workspace"
)

// daemon plays a ClamAV daemon that takes one stream and answers.
func daemon(t *testing.T, answer string, got *bytes.Buffer) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		command := make([]byte, len("zINSTREAM\x00"))
		if _, err := io.ReadFull(conn, command); err != nil || string(command) != "zINSTREAM\x00" {
			return
		}
		for {
			var n uint32
			if binary.Read(conn, binary.BigEndian, &n) != nil {
				return
			}
			if n == 0 {
				break
			}
			if _, err := io.CopyN(got, conn, int64(n)); err != nil {
				return
			}
		}
		_, _ = io.WriteString(conn, answer)
	}()
	return l.Addr().String()
}

func TestScan(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 20_000) // several parts
	file := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	for answer, want := range map[string]string{
		"stream: OK\x00":                          "",
		"stream: Eicar-Signature FOUND\x00":       "File rejected due to virus detection: Eicar-Signature",
		"stream:  FOUND\x00":                      "File rejected due to virus detection: Unknown threat",
		"INSTREAM size limit exceeded. ERROR\x00": "Virus scanning failed: the scanner says",
		"":           "Virus scanning failed",
		"stream: OK": "",
		"stream: something that nobody understands\x00": "Virus scanning failed",
	} {
		var got bytes.Buffer
		err := workspace.NewScanner(daemon(t, answer, &got)).Scan(t.Context(), file)
		require.Equal(t, content, got.Bytes())
		if want == "" {
			require.NoError(t, err, answer)
			continue
		}
		require.ErrorContains(t, err, want)
		require.True(t, core.IsKind(err, core.Invalid))
	}
	require.ErrorContains(t, workspace.NewScanner("127.0.0.1:1").Scan(t.Context(), file), "Virus scanning failed")
	require.NoError(t, workspace.NewScanner("").Scan(t.Context(), file))
}
