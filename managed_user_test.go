package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/account"
	"agentserver/providers/agentmail/agentmailtest"
)

const (
	createInboxID = "7a8ac219-c6ec-4eec-a828-81af283ce04c"
	sendMessageID = "b67469b2-7748-4d81-a223-4ebd332cca89"
)

// A new user has a mailbox to send from without doing anything for it, and
// leaves nothing behind.
func TestManagedCredentialOfANewUser(t *testing.T) {
	t.Parallel()
	c := newCampaign(t)
	c.launch(1)
	ada, root := c.on(c.replicas[0], "ada", account.RoleUser), c.on(c.replicas[0], "root", account.RoleAdmin)
	var listed []struct {
		ID, Provider, Type, Title string
		IsManaged                 bool `json:"is_managed"`
		AutoGPTManaged            bool `json:"autogpt_managed"`
	}
	ada.call("GET", "/api/integrations/credentials", nil, &listed)
	require.Len(t, listed, 1, "the first list shows it")
	credential := listed[0]
	require.Equal(t, []any{"agent_mail", "api_key", "AgentMail (managed by AutoGPT)", true, true},
		[]any{credential.Provider, credential.Type, credential.Title, credential.IsManaged, credential.AutoGPTManaged})

	// An agent opens an inbox and sends a mail from it.
	ref := map[string]any{"id": credential.ID, "provider": "agent_mail", "type": "api_key"}
	agent := map[string]any{"name": "Mail", "description": "", "nodes": []map[string]any{
		{"id": "a", "block_id": createInboxID, "input_default": map[string]any{"username": "ada", "credentials": ref}},
		{"id": "b", "block_id": sendMessageID, "input_default": map[string]any{"to": []string{"x@example.com"}, "subject": "Hi", "text": "Hello", "credentials": ref}},
		{"id": "c", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": map[string]any{"name": "out"}},
	}, "links": []map[string]any{
		{"source_id": "a", "source_name": "inbox_id", "sink_id": "b", "sink_name": "inbox_id"},
		{"source_id": "b", "source_name": "thread_id", "sink_id": "c", "sink_name": "value"},
	}}
	data, err := json.Marshal(agent)
	require.NoError(t, err)
	g := ada.importAgent(data)
	r := ada.execute(g, map[string]any{"credentials_inputs": map[string]any{"agent_mail_api_key_credentials": ref}})
	require.Equal(t, "COMPLETED", r.Status)
	require.Len(t, r.Outputs["out"], 1)
	require.Equal(t, agentmailtest.Tally{Pods: 1, Keys: 1, Inboxes: 1, Sent: 1}, c.mail.Tally())

	status, body, err := ada.try("DELETE", "/api/integrations/agent_mail/credentials/"+credential.ID, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, status)
	require.JSONEq(t, `{"detail":"AutoGPT-managed credentials cannot be deleted"}`, string(body))

	// The key is rotated: both work until the grace is over, then the new one.
	root.call("POST", "/api/admin/managed/ada/agent_mail/rotate", nil, nil)
	c.works("ada")
	require.Eventually(t, func() bool { return c.mail.KeysOf("ada") == 1 }, time.Minute, 20*time.Millisecond)
	c.works("ada")

	// The operator looks on, beside the running server.
	stdout, stderr, code := output(t, c.dir, c.env, "managed", "list")
	require.Zero(t, code, "%s", stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, 2)
	require.Equal(t, []string{"ada", "agent_mail", "stored", "true"}, strings.Fields(lines[1])[:4])
	_, stderr, code = output(t, c.dir, c.env, "managed", "retry", "ada", "agent_mail")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "There is nothing to do for the user 'ada' at the provider 'agent_mail'")
	_, stderr, code = output(t, c.dir, c.env, "managed", "revoke", "ada", "agent_mail")
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "this deletes what agent_mail holds for the user, for good; --yes does it")
	stdout, stderr, code = output(t, c.dir, c.env, "managed", "revoke", "ada@example.com", "agent_mail", "--yes")
	require.Zero(t, code, "%s", stderr)
	require.Equal(t, "nobody can use it any more; the vendor is asked to revoke it\n", stdout)
	require.Eventually(t, func() bool { return c.mail.KeysOf("ada") == 0 }, time.Minute, 20*time.Millisecond)
	require.Eventually(t, func() bool { return c.settled("ada") }, time.Minute, 20*time.Millisecond, "the next visit makes another")

	// The account goes, and what was made for it.
	ada.call("DELETE", "/api/auth/user", map[string]any{"confirm": "ada@example.com"}, nil)
	require.Eventually(t, func() bool { return c.mail.Tally() == agentmailtest.Tally{Sent: 1} }, time.Minute, 20*time.Millisecond, "%+v", c.mail.Tally())
	status, _, err = ada.try("GET", "/api/integrations/credentials", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, status)
	require.Eventually(t, c.nothingOpen, time.Minute, 20*time.Millisecond)
	c.report()
}
