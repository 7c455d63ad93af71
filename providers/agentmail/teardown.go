package agentmail

import (
	"context"
	"fmt"
	"net/http"

	"agentserver/core"
	"agentserver/core/rest"
)

// teardownRounds bounds how often a pod is emptied and deleted, because what is
// in use or on its way out may turn up again.
const teardownRounds = 4

// teardown empties a pod and deletes it. The vendor refuses to delete one that
// holds anything, so the rounds go on until it is gone.
func (m *managed) teardown(ctx context.Context, mail api, podID string) error {
	var last error
	for round := range teardownRounds {
		if round > 0 {
			if err := rest.Sleep(ctx, m.pause<<round); err != nil {
				return err
			}
		}
		last = emptyPod(ctx, mail, podID)
		if last == nil {
			last = mail.DeletePod(ctx, podID)
		}
		switch {
		case last == nil || isStatus(last, http.StatusNotFound):
		case isStatus(last, http.StatusConflict):
			continue
		default:
			return fmt.Errorf("deleting the user's pod: %w", last)
		}
		_, err := mail.GetPod(ctx, podID)
		if isStatus(err, http.StatusNotFound) {
			return nil
		}
		if err != nil && !isStatus(err, http.StatusConflict) {
			return fmt.Errorf("checking that the user's pod is gone: %w", err)
		}
		last = core.Errorf(core.Conflict, "AgentMail still has it")
	}
	return fmt.Errorf("deleting the user's pod: %w", last)
}

// emptyPod deletes what a pod holds, in the order that the vendor wants.
func emptyPod(ctx context.Context, mail api, podID string) error {
	for _, part := range []struct {
		name   string
		list   func(context.Context, string, listQuery) (*page, error)
		id     string
		remove func(ctx context.Context, podID, id string) error
	}{
		{"inboxes", func(ctx context.Context, pod string, q listQuery) (*page, error) {
			return mail.ListInboxes(ctx, ofPod(pod), q)
		}, "inbox_id", mail.DeletePodInbox},
		{"keys", mail.ListPodKeys, "api_key_id", mail.DeletePodKey},
		{"domains", mail.ListPodDomains, "domain_id", mail.DeletePodDomain},
		{"webhooks", mail.ListPodWebhooks, "webhook_id", mail.DeletePodWebhook},
	} {
		err := sweep(ctx, part.id, nil,
			func(ctx context.Context, q listQuery) (*page, error) { return part.list(ctx, podID, q) },
			func(ctx context.Context, id string) error { return part.remove(ctx, podID, id) })
		if err != nil {
			return fmt.Errorf("its %s: %w", part.name, err)
		}
	}
	return nil
}

// sweep goes over a list and deletes the items that are unwanted, all of them
// when that is nil. A deletion shifts the later pages, so the list is read from
// its start again until nothing new turns up; what the vendor still lists after
// its deletion is not deleted twice. What is not there is gone.
func sweep(ctx context.Context, idName string, unwanted func(object) bool,
	list func(context.Context, listQuery) (*page, error), remove func(ctx context.Context, id string) error,
) error {
	q, done := listQuery{Limit: maxPage}, map[string]bool{}
	for range maxSweeps {
		p, err := list(ctx, q)
		if isStatus(err, http.StatusNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		before := len(done)
		for _, item := range p.Items {
			id := item.text(idName)
			if done[id] || unwanted != nil && !unwanted(item) {
				continue
			}
			if err := remove(ctx, id); err != nil && !isStatus(err, http.StatusNotFound) {
				return err
			}
			done[id] = true
		}
		switch {
		case len(done) > before:
			q.PageToken = ""
		case p.Next == "" || p.Next == q.PageToken:
			return nil
		default:
			q.PageToken = p.Next
		}
	}
	return core.Errorf(core.Unavailable, "AgentMail lists more than could be deleted")
}

// maxSweeps bounds the pages that one sweep reads: 100 items each.
const maxSweeps = 1000
