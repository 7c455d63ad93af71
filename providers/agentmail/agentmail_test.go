package agentmail

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

// The operator's key is for provisioning: no credential of it may be offered.
func TestOperatorsKeyIsNotForRuns(t *testing.T) {
	require.Empty(t, provider.System)
}

func TestSensitiveBlocks(t *testing.T) {
	var got []string
	for _, b := range provider.Blocks {
		if b.Spec().Sensitive {
			got = append(got, b.Spec().Name)
		}
	}
	require.ElementsMatch(t, []string{
		"AgentMailSendMessageBlock", "AgentMailReplyToMessageBlock", "AgentMailForwardMessageBlock", "AgentMailSendDraftBlock",
		"AgentMailDeleteDraftBlock", "AgentMailDeleteInboxBlock", "AgentMailDeleteInboxThreadBlock", "AgentMailDeletePodBlock",
		"AgentMailCreateListEntryBlock", "AgentMailDeleteListEntryBlock",
	}, got)
}

func TestStartChecksTheAddress(t *testing.T) {
	before := *config
	t.Cleanup(func() { *config = before })
	for address, good := range map[string]bool{
		"https://api.agentmail.to":     true,
		"https://api.agentmail.eu/":    true,
		"http://localhost:8080/mail":   true,
		"api.agentmail.to":             false,
		"ftp://api.agentmail.to":       false,
		"https://key@api.agentmail.to": false,
		"https://api.agentmail.to?x=1": false,
		"":                             false,
		"http://%zz":                   false,
	} {
		config.BaseURL = address
		err := start(context.Background(), &core.Env{})
		require.Equal(t, good, err == nil, "%q: %v", address, err)
	}
}

func TestRoot(t *testing.T) {
	for address, root := range map[string]string{
		"https://api.agentmail.to":  "https://api.agentmail.to/v0",
		"https://api.agentmail.eu/": "https://api.agentmail.eu/v0",
	} {
		require.Equal(t, root, (&settings{BaseURL: address}).root())
	}
}
