package agentmail

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"agentserver/core"
)

// errKeyGone says that the vendor does not know a key any more.
var errKeyGone = errors.New("AgentMail does not know the key")

// Renew makes another key for the user's pod. The present one goes on to work.
func (m *managed) Renew(ctx context.Context, userID string, _ core.Credential) (core.Credential, error) {
	if userID == "" {
		return nil, core.Errorf(core.Invalid, "a managed credential needs a user")
	}
	mail, err := m.client()
	if err != nil {
		return nil, err
	}
	owner := clientID(userID)
	// The pod is not taken from the credential: it may have gone, and is made
	// again then.
	podID, err := makePod(ctx, mail, owner)
	if err != nil {
		return nil, err
	}
	return makeKey(ctx, mail, podID, owner)
}

// Retire deletes the keys that were made for the user, but for the one to keep.
func (m *managed) Retire(ctx context.Context, userID string, keep core.Credential) error {
	mail, err := m.client()
	if err != nil {
		return err
	}
	podID, keyID, err := m.identify(ctx, keep)
	if errors.Is(err, errKeyGone) {
		return core.Errorf(core.NotFound, "retiring keys: %w", err)
	}
	if err != nil {
		return err
	}
	owner := clientID(userID)
	pod, err := mail.GetPod(ctx, podID)
	if isStatus(err, http.StatusNotFound) {
		return core.Errorf(core.NotFound, "retiring keys: %w", err)
	}
	if err != nil {
		return fmt.Errorf("reading the user's pod: %w", err)
	}
	if err := checkOwner(pod, owner); err != nil {
		return err
	}
	return sweepKeys(ctx, mail, podID, owner, keyID)
}

// identify asks the vendor, with the key itself, which key it is and whose.
// What the vendor does not know gives errKeyGone.
func (m *managed) identify(ctx context.Context, c core.Credential) (podID, keyID string, err error) {
	k, ok := c.(core.APIKey)
	if !ok {
		return "", "", fmt.Errorf("identifying a key: it is of the type %s", c.Type())
	}
	me, err := m.as(k.Key).WhoAmI(ctx)
	if isStatus(err, http.StatusUnauthorized) {
		return "", "", errKeyGone
	}
	if err != nil {
		return "", "", fmt.Errorf("identifying a key: %w", err)
	}
	podID, keyID = me.text("pod_id"), me.text("api_key_id")
	if podID == "" || keyID == "" {
		return "", "", core.Errorf(core.Unavailable, "identifying a key: AgentMail does not say which it is")
	}
	return podID, keyID, nil
}
