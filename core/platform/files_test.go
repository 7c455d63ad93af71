package platform_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/platform"
)

// Blocks open and store files, and reach no private network by doing so.
func TestBlocksHaveFiles(t *testing.T) {
	p := open(t, nil, nil, platform.Options{})
	block, ok := p.Registry.Block("95ead23f-8283-4654-aef3-10c053b74a31")
	require.True(t, ok)
	run := func(value string) (map[string][]any, error) {
		return p.Executions.RunBlock(t.Context(), "user-1", block, core.Values{"name": "file", "value": value})
	}
	got, err := run("data:image/png,a")
	require.NoError(t, err)
	require.Equal(t, []any{"data:image/png;base64,YQ=="}, got["result"])

	private := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(private.Close)
	_, err = run(private.URL + "/a.png")
	require.ErrorContains(t, err, "the file cannot be downloaded: Access to blocked or private IP address")
	_, err = run("workspace://1")
	require.ErrorContains(t, err, "the workspace has no such file")
}
