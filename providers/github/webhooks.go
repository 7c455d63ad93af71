package github

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"agentserver/core"
)

// webhookType is the only kind of webhook: that of a repository.
const webhookType = "repo"

// webhooks sets up the webhooks of repositories. There is one for each of our
// addresses, so that a hook whose registration was not heard of is found again.
//
// See https://docs.github.com/en/rest/repos/webhooks.
type webhooks struct{}

var (
	_ core.WebhookManager   = webhooks{}
	_ core.WebhookRegistrar = webhooks{}
	_ core.WebhookUpdater   = webhooks{}
	_ core.WebhookPinger    = webhooks{}
)

// hooks reaches the webhooks of the repository that a subscription is about.
type hooks struct {
	api  *api
	repo repo
	hook core.Webhook
}

func openHooks(doer core.Doer, hook core.Webhook, c core.Credential) (*hooks, error) {
	if hook.Type != webhookType {
		return nil, core.Errorf(core.Invalid, "GitHub has no webhooks of type %q", hook.Type)
	}
	r, err := parseRepo(hook.Resource)
	if err != nil {
		return nil, err
	}
	a := connect(doer, c)
	a.secrets = append(a.secrets, hook.Secret)
	return &hooks{api: a, repo: r, hook: hook}, nil
}

// Register implements [core.WebhookRegistrar].
func (webhooks) Register(ctx context.Context, doer core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error) {
	h, err := openHooks(doer, hook, c)
	if err != nil {
		return core.WebhookRegistration{}, err
	}
	return h.register(ctx)
}

// Update implements [core.WebhookUpdater]. A webhook that somebody has deleted
// at GitHub is set up again.
func (webhooks) Update(ctx context.Context, doer core.Doer, hook core.Webhook, c core.Credential) (core.WebhookRegistration, error) {
	h, err := openHooks(doer, hook, c)
	if err != nil {
		return core.WebhookRegistration{}, err
	}
	if hook.ProviderID == "" {
		return h.register(ctx)
	}
	answer, err := h.change(ctx, hook.ProviderID)
	if statusOf(err) == http.StatusNotFound {
		return h.register(ctx)
	}
	return h.result(answer, err)
}

// Deregister implements [core.WebhookRegistrar].
func (webhooks) Deregister(ctx context.Context, doer core.Doer, hook core.Webhook, c core.Credential) error {
	h, err := openHooks(doer, hook, c)
	if err != nil {
		return err
	}
	ids := []string{hook.ProviderID}
	if hook.ProviderID == "" {
		if ids, err = h.find(ctx); err != nil && statusOf(err) != http.StatusNotFound {
			return h.explain(err)
		}
	}
	for _, id := range ids {
		err := h.api.do(ctx, http.MethodDelete, h.repo.path("hooks", id), nil, nil, nil)
		if err != nil && statusOf(err) != http.StatusNotFound {
			return h.explain(err)
		}
	}
	return nil
}

// Ping implements [core.WebhookPinger].
func (webhooks) Ping(ctx context.Context, doer core.Doer, hook core.Webhook, c core.Credential) error {
	h, err := openHooks(doer, hook, c)
	if err != nil {
		return err
	}
	if hook.ProviderID == "" {
		return core.Errorf(core.Conflict, "the webhook is not set up at GitHub yet")
	}
	return h.explain(h.api.do(ctx, http.MethodPost, h.repo.path("hooks", hook.ProviderID, "pings"), nil, nil, nil))
}

// hookAnswer is a webhook as GitHub gives it.
type hookAnswer struct {
	ID     int64          `json:"id"`
	Config map[string]any `json:"config"`
}

// register makes the webhook, or brings one that is there already up to date:
// GitHub would make a second one if the events differ.
func (h *hooks) register(ctx context.Context) (core.WebhookRegistration, error) {
	ids, err := h.find(ctx)
	if err != nil {
		return core.WebhookRegistration{}, h.explain(err)
	}
	if len(ids) > 0 {
		return h.result(h.change(ctx, ids[0]))
	}
	answer, err := h.create(ctx)
	if alreadyExists(err) {
		// Another registration was faster.
		if ids, findErr := h.find(ctx); findErr == nil && len(ids) > 0 {
			return h.result(h.change(ctx, ids[0]))
		}
	}
	return h.result(answer, err)
}

func alreadyExists(err error) bool {
	return statusOf(err) == http.StatusUnprocessableEntity && strings.Contains(err.Error(), "already exists")
}

func (h *hooks) create(ctx context.Context) (hookAnswer, error) {
	body := h.wanted()
	body["name"] = "web"
	var answer hookAnswer
	err := h.api.do(ctx, http.MethodPost, h.repo.path("hooks"), nil, body, &answer)
	return answer, err
}

func (h *hooks) change(ctx context.Context, id string) (hookAnswer, error) {
	var answer hookAnswer
	err := h.api.do(ctx, http.MethodPatch, h.repo.path("hooks", id), nil, h.wanted(), &answer)
	return answer, err
}

// wanted is what the webhook has to be.
func (h *hooks) wanted() object {
	return object{
		"active": true,
		"events": hookEvents(h.hook.Events),
		"config": object{
			"url": h.hook.IngressURL, "content_type": "json", "insecure_ssl": "0", "secret": h.hook.Secret.Reveal(),
		},
	}
}

// hookEvents gives the events to subscribe to: an event of ours names an action
// too, which GitHub cannot choose. Without any they are all wanted.
func hookEvents(events []string) []string {
	if len(events) == 0 {
		return []string{"*"}
	}
	names := make([]string, len(events))
	for i, event := range events {
		names[i], _, _ = strings.Cut(event, ".")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// find gives the ids of the webhooks that lead to our address.
func (h *hooks) find(ctx context.Context) ([]string, error) {
	list, err := listAll[hookAnswer](ctx, h.api, h.repo.path("hooks"), nil)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, answer := range list {
		if answer.Config["url"] == h.hook.IngressURL {
			ids = append(ids, strconv.FormatInt(answer.ID, 10))
		}
	}
	return ids, nil
}

// result is what to remember of GitHub's answer.
func (h *hooks) result(answer hookAnswer, err error) (core.WebhookRegistration, error) {
	if err != nil {
		return core.WebhookRegistration{}, h.explain(err)
	}
	if answer.ID == 0 {
		return core.WebhookRegistration{}, core.Errorf(core.Unavailable, "GitHub did not tell the id of the webhook")
	}
	delete(answer.Config, "secret")
	return core.WebhookRegistration{ProviderID: strconv.FormatInt(answer.ID, 10), Config: answer.Config}, nil
}

// explain adds to a refusal what GitHub does not tell: it hides the webhooks of
// a repository from accounts that may not manage them.
func (h *hooks) explain(err error) error {
	var refusal *apiError
	if !errors.As(err, &refusal) || refusal.Status != http.StatusNotFound && kindOf(refusal) != core.Forbidden {
		return err
	}
	return core.Errorf(core.Invalid, "GitHub does not let this account manage the webhooks of %s. Either the repository does not exist, or the account is "+
		"not an administrator of it, or its credential lacks the scope admin:repo_hook or repo (of a fine-grained token, the repository permission to "+
		"read and write webhooks): %w", h.repo, err)
}
