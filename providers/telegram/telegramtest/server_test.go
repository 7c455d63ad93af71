package telegramtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/providers/telegram/telegramtest"
)

const token = "1:test"

type object = map[string]any

func serve(t *testing.T) (*telegramtest.Server, string) {
	t.Helper()
	s := telegramtest.New(token)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

// call gives the envelope of the answer.
func call(t *testing.T, base, token, method string, params object) object {
	t.Helper()
	data, err := json.Marshal(params)
	require.NoError(t, err)
	res, err := http.Post(base+"/bot"+token+"/"+method, "application/json", strings.NewReader(string(data)))
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	var answer object
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	if answer["ok"] == true {
		require.Equal(t, http.StatusOK, res.StatusCode)
	} else {
		require.Equal(t, answer["error_code"], float64(res.StatusCode))
	}
	return answer
}

func TestRefusals(t *testing.T) {
	_, base := serve(t)
	long := strings.Repeat("ä", 4097)
	for _, c := range []struct {
		token, method string
		params        object
		want          string
	}{
		{"2:other", "getMe", object{}, "Unauthorized"},
		{token, "noSuchMethod", object{}, "Not Found"},
		{token, "sendMessage", object{"text": "x"}, "Bad Request: chat not found"},
		{token, "sendMessage", object{"chat_id": 1}, "Bad Request: message text is empty"},
		{token, "sendMessage", object{"chat_id": 1, "text": long}, "Bad Request: message is too long"},
		{token, "sendPhoto", object{"chat_id": 1}, "Bad Request: there is no photo in the request"},
		{token, "editMessageText", object{"chat_id": 1, "message_id": 9, "text": "x"}, "Bad Request: message to edit not found"},
		{token, "deleteMessage", object{"chat_id": 1, "message_id": 9}, "Bad Request: message to delete not found"},
		{token, "getFile", object{"file_id": "x"}, "Bad Request: invalid file_id"},
		{token, "setWebhook", object{"url": "nonsense"}, "Bad Request: bad webhook: invalid webhook URL specified"},
		{token, "setWebhook", object{"url": "http://example.com/"}, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"},
		{token, "setWebhook", object{"url": "https://example.com:444/"}, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"},
		{token, "setWebhook", object{"url": "https://example.com/", "secret_token": "ä"}, "Bad Request: secret token contains unallowed characters"},
	} {
		answer := call(t, base, c.token, c.method, c.params)
		require.Equal(t, false, answer["ok"], c.method)
		require.Equal(t, c.want, answer["description"])
	}
	res, err := http.Get(base + "/elsewhere")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusNotFound, res.StatusCode)
}

func TestMessages(t *testing.T) {
	s, base := serve(t)
	sent := call(t, base, token, "sendMessage", object{"chat_id": 5, "text": "x"})["result"].(object)
	id := int(sent["message_id"].(float64))
	require.Equal(t, "x", s.Message(5, id)["text"])
	require.Equal(t, "Bad Request: message is not modified",
		call(t, base, token, "editMessageText", object{"chat_id": 5, "message_id": id, "text": "x"})["description"])
	call(t, base, token, "editMessageText", object{"chat_id": 5, "message_id": id, "text": "y"})
	require.Equal(t, "y", s.Message(5, id)["text"])
	require.Equal(t, true, call(t, base, token, "deleteMessage", object{"chat_id": 5, "message_id": id})["result"])
	require.Nil(t, s.Message(5, id))
	require.Len(t, s.Calls(""), 4)
	require.Len(t, s.Calls("editMessageText"), 2)

	form, err := http.PostForm(base+"/bot"+token+"/sendMessage", url.Values{"chat_id": {"5"}, "text": {"z"}})
	require.NoError(t, err)
	require.NoError(t, form.Body.Close())
	require.Equal(t, http.StatusOK, form.StatusCode)
}

func TestFiles(t *testing.T) {
	s, base := serve(t)
	s.AddFile("f", "photos/a.jpg", []byte("content"))
	require.Equal(t, "photos/a.jpg", call(t, base, token, "getFile", object{"file_id": "f"})["result"].(object)["file_path"])
	for path, status := range map[string]int{
		"/file/bot" + token + "/photos/a.jpg": 200, "/file/bot" + token + "/photos/b.jpg": 404, "/file/bot2:other/photos/a.jpg": 401,
	} {
		res, err := http.Get(base + path)
		require.NoError(t, err)
		data, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, status, res.StatusCode, path)
		if status == 200 {
			require.Equal(t, "content", string(data))
		}
	}
}

func TestDeliveries(t *testing.T) {
	s, base := serve(t)
	var secrets []string
	var updates []object
	status := 200
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secrets = append(secrets, r.Header.Get(telegramtest.SecretHeader))
		var u object
		_ = json.NewDecoder(r.Body).Decode(&u)
		updates = append(updates, u)
		w.WriteHeader(status)
	}))
	t.Cleanup(hook.Close)
	message := object{"message": object{"text": "x"}}

	_, err := s.Deliver(t.Context(), token, message)
	require.ErrorIs(t, err, telegramtest.ErrNoWebhook)

	call(t, base, token, "setWebhook", object{"url": hook.URL, "secret_token": "s", "allowed_updates": []string{"message"}})
	info := call(t, base, token, "getWebhookInfo", object{})["result"].(object)
	require.Equal(t, hook.URL, info["url"])
	require.Equal(t, []any{"message"}, info["allowed_updates"])
	require.Equal(t, telegramtest.Webhook{URL: hook.URL, Secret: "s", AllowedUpdates: []string{"message"}}, s.Webhook(token))

	got, err := s.Deliver(t.Context(), token, message)
	require.NoError(t, err)
	require.Equal(t, 200, got)
	status = 503
	got, err = s.Deliver(t.Context(), token, object{"update_id": 7, "message": object{"text": "y"}})
	require.NoError(t, err)
	require.Equal(t, 503, got)
	require.Equal(t, []string{"s", "s"}, secrets)
	require.NotEmpty(t, updates[0]["update_id"])
	require.Equal(t, 7.0, updates[1]["update_id"])
	require.NotContains(t, message, "update_id", "the test's own update stays as it is")

	_, err = s.Deliver(t.Context(), token, object{"message_reaction": object{}})
	require.ErrorIs(t, err, telegramtest.ErrNoWebhook)
	s.SetWebhook(token, telegramtest.Webhook{URL: hook.URL})
	_, err = s.Deliver(t.Context(), token, object{"message_reaction": object{}})
	require.ErrorIs(t, err, telegramtest.ErrNoWebhook, "reactions come only when they are named")
	_, err = s.Deliver(t.Context(), token, message)
	require.NoError(t, err)

	call(t, base, token, "setWebhook", object{"url": ""})
	_, err = s.Deliver(t.Context(), token, message)
	require.ErrorIs(t, err, telegramtest.ErrNoWebhook)
	s.Revoke(token)
	require.Equal(t, "Unauthorized", call(t, base, token, "getMe", object{})["description"])
}

func TestFaults(t *testing.T) {
	s, base := serve(t)
	s.Fail(telegramtest.Fault{Method: "sendMessage", Status: 429, Description: "Too Many Requests: retry after 3", RetryAfter: 3})
	require.Equal(t, true, call(t, base, token, "getMe", object{})["ok"])
	answer := call(t, base, token, "sendMessage", object{"chat_id": 1, "text": "x"})
	require.Equal(t, object{"retry_after": 3.0}, answer["parameters"])
	require.Nil(t, s.Message(1, 1))
	require.Equal(t, true, call(t, base, token, "sendMessage", object{"chat_id": 1, "text": "x"})["ok"])

	s.Fail(telegramtest.Fault{Method: "sendMessage", Times: 2, After: true, Status: 500, Description: "Internal Server Error"})
	for range 2 {
		require.Equal(t, false, call(t, base, token, "sendMessage", object{"chat_id": 1, "text": "y"})["ok"])
	}
	require.Equal(t, "y", s.Message(1, 3)["text"], "it took effect")

	s.Fail(telegramtest.Fault{Times: -1})
	for range 3 {
		res, err := http.Post(base+"/bot"+token+"/getMe", "application/json", strings.NewReader("{}"))
		if err == nil {
			_ = res.Body.Close()
		}
		require.Error(t, err)
	}
}
