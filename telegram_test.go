package main

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/providers/telegram/telegramtest"
)

// The built server sends, uploads and downloads as a bot, at the address that the
// operator has set, and never tells the bot's token.
func TestTelegramServesAgents(t *testing.T) {
	t.Parallel()
	const token = "110201543:canary"
	telegram := telegramtest.New(token)
	telegram.AddFile("f1", "documents/a.txt", []byte("content"))
	vendor := httptest.NewServer(telegram)
	t.Cleanup(vendor.Close)
	p, a := serving(t, t.TempDir(), freeAddress(t), "TELEGRAM_BASE_URL="+vendor.URL, "AGENTSERVER_LOG_LEVEL=debug")
	var made struct {
		ID string `json:"id"`
	}
	a.call("POST", "/api/integrations/telegram/credentials", map[string]any{"type": "api_key", "title": "Mine", "api_key": token}, &made)
	path := func(block string) string { return "/api/blocks/" + blockNamed(t, a, block) + "/execute" }
	input := func(values map[string]any) map[string]any {
		values["credentials"] = map[string]any{"id": made.ID, "provider": "telegram", "type": "api_key"}
		return values
	}
	var sent, got map[string][]any
	a.call("POST", path("SendTelegramPhotoBlock"), input(map[string]any{"chat_id": 5, "photo": "data:image/png;base64,YQ=="}), &sent)
	require.Equal(t, []any{"Photo sent"}, sent["status"])
	require.Equal(t, "photo.png", telegram.Calls("sendPhoto")[0].Files["photo"])
	a.call("POST", path("GetTelegramFileBlock"), input(map[string]any{"file_id": "f1"}), &got)
	require.Equal(t, []any{"data:text/plain;base64,Y29udGVudA=="}, got["file"])

	message := input(map[string]any{"chat_id": 5, "text": "hi"})
	for _, f := range []struct {
		fault telegramtest.Fault
		text  string
	}{
		{telegramtest.Fault{Status: 400, Description: "Bad Request: chat not found"}, "Failed to send message: Bad Request: chat not found"},
		{telegramtest.Fault{}, "Failed to send message: "},
	} {
		telegram.Fail(f.fault)
		_, data, err := a.try("POST", path("SendTelegramMessageBlock"), message)
		require.NoError(t, err)
		require.Contains(t, string(data), f.text)
		require.NotContains(t, string(data), "canary")
	}
	require.Zero(t, p.stop(), "%s", p.stderr)
	require.NotContains(t, p.stderr.String(), "canary")
}
