package agentmailtest

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Mail is a mail from outside.
type Mail struct {
	From, Subject, Text, HTML string
	// Attachments are file contents by file name.
	Attachments map[string][]byte
}

// Receive puts a mail into an inbox and gives its message id.
func (s *Server) Receive(inboxID string, mail Mail) (messageID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.inboxes {
		if i.id != inboxID {
			continue
		}
		fields := object{
			"from": mail.From, "to": []string{inboxID}, "subject": mail.Subject, "text": mail.Text,
			"extracted_text": mail.Text,
		}
		if mail.HTML != "" {
			fields["html"] = mail.HTML
		}
		attachments := []object{}
		for name, data := range mail.Attachments {
			id := s.nextID()
			s.files[id] = data
			attachments = append(attachments, object{
				"attachment_id": id, "filename": name, "size": len(data), "content_disposition": "attachment",
			})
		}
		if len(attachments) > 0 {
			fields["attachments"] = attachments
		}
		s.lastID++
		id := fmt.Sprintf("<%d@mail.example.com>", s.lastID)
		s.deliver(i, id, fields)
		return id, nil
	}
	return "", errors.New("no such inbox: " + inboxID)
}

func messageAttachment(c *call, m *message) reply { return attachmentLink(c, []*message{m}) }

func threadAttachment(c *call, messages []*message) reply { return attachmentLink(c, messages) }

// attachmentLink answers with a link to the content, as the vendor does.
func attachmentLink(c *call, messages []*message) reply {
	for _, m := range messages {
		list, _ := m.fields["attachments"].([]object)
		for _, a := range list {
			if a["attachment_id"] != c.PathValue("attachment") {
				continue
			}
			link := object{
				"download_url": fmt.Sprintf("http://%s/_files/%s?signature=s", c.Host, a["attachment_id"]),
				"expires_at":   wireTime(time.Now().Add(time.Hour)),
			}
			for name, value := range a {
				link[name] = value
			}
			return ok(link)
		}
	}
	return notFound("Attachment")
}

// download gives the content behind a link. Like the stores behind such links,
// it refuses a request that authorises itself in another way too.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	data, found := s.files[r.PathValue("file")]
	s.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "":
		http.Error(w, "Only one way to authorise is allowed", http.StatusBadRequest)
	case !found || r.URL.Query().Get("signature") != "s":
		http.Error(w, "Access denied", http.StatusForbidden)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(data) // #nosec G705 -- test data, not a page
	}
}
