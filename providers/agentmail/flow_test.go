package agentmail

import (
	"encoding/base64"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/rest"
	"agentserver/providers/agentmail/agentmailtest"
)

// stage runs blocks of the provider against a server, with a managed key.
type stage struct {
	t    *testing.T
	mail *agentmailtest.Server
	key  core.APIKey
	http core.Doer
}

func newStage(t *testing.T) *stage {
	t.Helper()
	mail := agentmailtest.New(orgKey)
	srv := httptest.NewServer(mail)
	before := *config
	*config = settings{APIKey: orgKey, BaseURL: srv.URL}
	t.Cleanup(func() {
		srv.Close()
		*config = before
	})
	http := rest.NewClient(rest.Options{Trusted: []string{srv.URL}})
	c, err := (&managed{settings: config, http: http}).Provision(t.Context(), "u-1")
	require.NoError(t, err)
	return &stage{t: t, mail: mail, key: c.(core.APIKey), http: http}
}

// run runs a block and gives the value of each of its pins.
func (s *stage) run(nodeExecID, block string, in core.Values) map[string]any {
	s.t.Helper()
	for _, b := range provider.Blocks {
		if b.Spec().Name != "AgentMail"+block+"Block" {
			continue
		}
		out := map[string]any{}
		in["credentials"] = s.key
		run := &core.Run{UserID: "u-1", NodeExecID: nodeExecID, HTTP: s.http}
		err := core.Execute(s.t.Context(), b, run, in, func(pin string, value any) error {
			out[pin] = value
			return nil
		})
		require.NoError(s.t, err)
		return out
	}
	require.Fail(s.t, "no block "+block)
	return nil
}

// Two inboxes write to each other, through blocks alone.
func TestConversation(t *testing.T) {
	s := newStage(t)
	ann := s.run("1", "CreateInbox", core.Values{"username": "ann", "display_name": "Ann"})["inbox_id"]
	bob := s.run("2", "CreatePodInbox", core.Values{"pod_id": s.mail.PodOf("u-1"), "username": "bob"})["email_address"]
	require.Equal(t, 2, s.run("3", "ListInboxes", core.Values{})["count"])

	send := core.Values{"inbox_id": ann, "to": []any{bob}, "subject": "Hi", "text": "Hello"}
	first := s.run("4", "SendMessage", send)
	require.Equal(t, first, s.run("4", "SendMessage", send), "the node ran again after a crash")
	require.Equal(t, 1, s.mail.Tally().Sent)

	unread := s.run("5", "ListMessages", core.Values{"inbox_id": bob, "labels": []any{"unread", "received"}})
	require.Equal(t, 1, unread["count"])
	item := unread["messages"].([]any)[0].(map[string]any)
	require.Equal(t, "Ann <ann@agentmail.to>", item["from_"])
	got := s.run("6", "GetMessage", core.Values{"inbox_id": bob, "message_id": item["message_id"]})
	require.Equal(t, "Hello", got["text"])

	s.run("7", "UpdateMessage", core.Values{"inbox_id": bob, "message_id": item["message_id"], "remove_labels": []any{"unread"}})
	require.Equal(t, 0, s.run("8", "ListMessages", core.Values{"inbox_id": bob, "labels": []any{"unread"}})["count"])
	s.run("9", "ReplyToMessage", core.Values{"inbox_id": bob, "message_id": item["message_id"], "text": "Hello back"})

	thread := s.run("10", "GetInboxThread", core.Values{"inbox_id": ann, "thread_id": first["thread_id"]})
	require.Len(t, thread["messages"], 2, "the answer joins the thread")
	require.Equal(t, "Re: Hi", thread["messages"].([]any)[1].(map[string]any)["subject"])
	require.Equal(t, 2, s.run("11", "ListOrgThreads", core.Values{})["count"])
	s.run("12", "ForwardMessage", core.Values{"inbox_id": ann, "message_id": first["message_id"], "to": []any{"x@example.com"}})
	require.Equal(t, 3, s.mail.Tally().Sent)

	s.run("13", "DeleteInboxThread", core.Values{"inbox_id": ann, "thread_id": first["thread_id"]})
	require.Equal(t, 1, s.run("14", "ListInboxThreads", core.Values{"inbox_id": ann})["count"], "the forwarded one is left")
	s.run("15", "DeleteInbox", core.Values{"inbox_id": bob})
	require.Equal(t, 1, s.mail.Tally().Inboxes)
}

func TestDraftsOnStage(t *testing.T) {
	s := newStage(t)
	inbox := s.run("1", "CreateInbox", core.Values{})["inbox_id"]
	draft := s.run("2", "CreateDraft", core.Values{"inbox_id": inbox, "to": []any{"x@example.com"}, "send_at": "2036-08-26T09:00:00Z"})
	require.Equal(t, "scheduled", draft["send_status"])
	ref := func(more core.Values) core.Values {
		in := core.Values{"inbox_id": inbox, "draft_id": draft["draft_id"]}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	require.Equal(t, "2036-08-26T09:00:00+00:00", s.run("3", "GetDraft", ref(nil))["send_at"])
	changed := s.run("4", "UpdateDraft", ref(core.Values{"send_at": "", "subject": "Now"}))
	require.Equal(t, "", changed["send_status"], "off the schedule")
	require.Equal(t, 1, s.run("5", "ListPodDrafts", core.Values{"pod_id": s.mail.PodOf("u-1")})["count"])

	sent := s.run("6", "SendDraft", ref(nil))
	require.Equal(t, sent, s.run("6", "SendDraft", ref(nil)), "the draft is gone, its first answer is not")
	require.Equal(t, 1, s.mail.Tally().Sent)
	require.Equal(t, 0, s.run("7", "ListOrgDrafts", core.Values{})["count"])
}

func TestAttachmentsAndListsOnStage(t *testing.T) {
	s := newStage(t)
	inbox := s.run("1", "CreateInbox", core.Values{"username": "ann"})["inbox_id"]
	id, err := s.mail.Receive("ann@agentmail.to", agentmailtest.Mail{
		From: "x@example.com", Subject: "File", Attachments: map[string][]byte{"a.bin": {0, 1, 254, 255}},
	})
	require.NoError(t, err)
	m := s.run("2", "GetMessage", core.Values{"inbox_id": inbox, "message_id": id})
	attachment := m["result"].(map[string]any)["attachments"].([]any)[0].(map[string]any)
	for block, in := range map[string]core.Values{
		"GetMessageAttachment": {"inbox_id": inbox, "message_id": id},
		"GetThreadAttachment":  {"inbox_id": inbox, "thread_id": m["thread_id"]},
	} {
		in["attachment_id"] = attachment["attachment_id"]
		content, err := base64.StdEncoding.DecodeString(s.run("3", block, in)["content_base64"].(string))
		require.NoError(t, err)
		require.Equal(t, []byte{0, 1, 254, 255}, content)
	}

	blocked := core.Values{"direction": "receive", "list_type": "block", "entry": "spam@example.com"}
	s.run("4", "CreateListEntry", blocked)
	require.Equal(t, "email", s.run("5", "GetListEntry", blocked)["result"].(map[string]any)["entry_type"])
	list := core.Values{"direction": "receive", "list_type": "block"}
	require.Equal(t, 1, s.run("6", "ListEntries", list)["count"])
	s.run("7", "DeleteListEntry", blocked)
	require.Equal(t, 0, s.run("8", "ListEntries", list)["count"])
}
