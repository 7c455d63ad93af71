package telegramtest

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// handle does what a call asks for. The server is locked.
func (s *Server) handle(c Call) reply {
	b := s.bots[c.Token]
	if b == nil {
		return refuse(http.StatusUnauthorized, "Unauthorized")
	}
	switch c.Method {
	case "getMe":
		return ok(object{"id": b.id, "is_bot": true, "first_name": "Bot", "username": "bot_" + strconv.Itoa(b.id)})
	case "setWebhook":
		return b.setWebhook(c)
	case "deleteWebhook":
		b.webhook = Webhook{}
		return ok(true)
	case "getWebhookInfo":
		info := object{"url": b.webhook.URL, "has_custom_certificate": false, "pending_update_count": 0}
		if len(b.webhook.AllowedUpdates) > 0 {
			info["allowed_updates"] = b.webhook.AllowedUpdates
		}
		return ok(info)
	case "sendMessage":
		return s.send(b, c, "text")
	case "sendPhoto":
		return s.send(b, c, "photo")
	case "sendVoice":
		return s.send(b, c, "voice")
	case "sendAudio":
		return s.send(b, c, "audio")
	case "sendDocument":
		return s.send(b, c, "document")
	case "sendVideo":
		return s.send(b, c, "video")
	case "editMessageText":
		return s.edit(c)
	case "deleteMessage":
		return s.remove(c)
	case "getFile":
		return s.getFile(c)
	}
	return refuse(http.StatusNotFound, "Not Found")
}

// secretForm is what Telegram takes as a secret token.
var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// setWebhook takes https addresses, as Telegram does, and besides those of this
// machine, where tests have their servers.
func (b *bot) setWebhook(c Call) reply {
	address := c.text("url")
	if address == "" {
		b.webhook = Webhook{}
		return ok(true)
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return refuse(http.StatusBadRequest, "Bad Request: bad webhook: invalid webhook URL specified")
	}
	local := u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost"
	if u.Scheme != "https" && !local {
		return refuse(http.StatusBadRequest, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
	}
	if !local && !slices.Contains([]string{"", "443", "80", "88", "8443"}, u.Port()) {
		return refuse(http.StatusBadRequest, "Bad Request: bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
	}
	secret := c.text("secret_token")
	if secret != "" && !secretForm.MatchString(secret) {
		return refuse(http.StatusBadRequest, "Bad Request: secret token contains unallowed characters")
	}
	updates := b.webhook.AllowedUpdates // stay when none are named
	if list, given := c.Params["allowed_updates"].([]any); given {
		updates = nil
		for _, u := range list {
			if kind, isText := u.(string); isText {
				updates = append(updates, kind)
			}
		}
	}
	b.webhook = Webhook{URL: address, Secret: secret, AllowedUpdates: updates}
	return ok(true)
}

// send makes a message with a text, or with a file.
func (s *Server) send(b *bot, c Call, member string) reply {
	chat, isNumber := c.number("chat_id")
	if !isNumber || chat == 0 {
		return refuse(http.StatusBadRequest, "Bad Request: chat not found")
	}
	content := c.text(member)
	if content == "" {
		content = c.Files[member]
	}
	switch {
	case content == "" && member == "text":
		return refuse(http.StatusBadRequest, "Bad Request: message text is empty")
	case content == "":
		return refuse(http.StatusBadRequest, "Bad Request: there is no "+member+" in the request")
	case member == "text" && len([]rune(content)) > 4096:
		return refuse(http.StatusBadRequest, "Bad Request: message is too long")
	}
	s.lastID++
	message := object{
		"message_id": s.lastID, "from": object{"id": b.id, "is_bot": true}, "chat": object{"id": chat},
		"date": time.Now().Unix(), member: content,
	}
	if caption := c.text("caption"); caption != "" {
		message["caption"] = caption
	}
	s.messages[messageKey{chat, s.lastID}] = message
	return ok(message)
}

func (s *Server) edit(c Call) reply {
	key, message := s.find(c)
	if message == nil {
		return refuse(http.StatusBadRequest, "Bad Request: message to edit not found")
	}
	if message["text"] == c.text("text") {
		return refuse(http.StatusBadRequest, "Bad Request: message is not modified")
	}
	changed := object{}
	for name, value := range message {
		changed[name] = value
	}
	changed["text"], changed["edit_date"] = c.text("text"), time.Now().Unix()
	s.messages[key] = changed
	return ok(changed)
}

func (s *Server) remove(c Call) reply {
	key, message := s.find(c)
	if message == nil {
		return refuse(http.StatusBadRequest, "Bad Request: message to delete not found")
	}
	delete(s.messages, key)
	return ok(true)
}

func (s *Server) find(c Call) (messageKey, object) {
	chat, _ := c.number("chat_id")
	id, _ := c.number("message_id")
	key := messageKey{chat, id}
	return key, s.messages[key]
}

func (s *Server) getFile(c Call) reply {
	f, known := s.files[c.text("file_id")]
	if !known {
		return refuse(http.StatusBadRequest, "Bad Request: invalid file_id")
	}
	return ok(object{"file_id": c.text("file_id"), "file_size": len(f.content), "file_path": f.path})
}

func (c Call) text(name string) string {
	t, _ := c.Params[name].(string)
	return t
}

// number gives a whole number, which forms have as text.
func (c Call) number(name string) (int, bool) {
	switch v := c.Params[name].(type) {
	case float64:
		return int(v), v == float64(int(v))
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}
