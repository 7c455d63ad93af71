package github

import (
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// Flags of blocks that are facts of the wire.
func TestFlagsOfBlocks(t *testing.T) {
	for _, b := range provider.Blocks {
		spec := b.Spec()
		require.Equal(t, spec.Name == "GithubDeleteBranchBlock" || spec.Name == "GithubMergePullRequestBlock", spec.Sensitive, spec.Name)
		require.Empty(t, spec.Disabled, spec.Name)
	}
	require.Len(t, provider.Blocks, 52)
	for block, scope := range map[core.Block]string{
		createStatus: "repo:status", createCheckRun: "repo:status", updateCheckRun: "repo:status", readFile: "repo",
	} {
		f, ok := block.Spec().Field("credentials")
		require.True(t, ok)
		require.Equal(t, []string{scope}, f.Credentials.Scopes)
	}
	f, _ := createStatus.Spec().Field("credentials")
	require.Equal(t, []core.CredentialType{core.TypeAPIKey}, f.Credentials.Types)
	_, ok := createCommentObject.Spec().Field("credentials")
	require.False(t, ok)
}
