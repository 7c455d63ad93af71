package agentmail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"agentserver/core"
)

// managedTitle is shown by clients, and known to them.
const managedTitle = "AgentMail (managed by AutoGPT)"

// Members of a managed credential's metadata.
const (
	metaPod = "pod_id"
	metaKey = "api_key_id"
)

// managed gives each user a pod of the operator's organisation and a key that
// reaches only that pod.
type managed struct {
	settings *settings
	http     core.Doer // set at the start
	// pause lets the vendor finish between two tries to delete a pod; it doubles.
	pause time.Duration
}

var (
	_ core.ManagedCredentialProvider = (*managed)(nil)
	_ core.ManagedCredentialRotator  = (*managed)(nil)
)

// Available reports whether the operator set a key of an organisation.
func (m *managed) Available() bool { return m.settings.APIKey != "" }

func (m *managed) client() (api, error) {
	if !m.Available() || m.http == nil {
		return nil, core.Errorf(core.Unavailable, "AgentMail has no organisation key here: set providers.agent_mail.api_key")
	}
	return m.as(m.settings.APIKey), nil
}

// as gives the API as a key sees it.
func (m *managed) as(key core.Secret) api {
	return &client{http: m.http, root: m.settings.root(), key: key}
}

// Provision finds or makes the user's pod and gives a new key for it.
//
// The pod is found again by its client id. A key is not: its secret comes once,
// and every call makes another. So keys of the name that only this function
// gives are left over from calls whose result was lost, and go first.
func (m *managed) Provision(ctx context.Context, userID string) (core.Credential, error) {
	if userID == "" {
		return nil, core.Errorf(core.Invalid, "a managed credential needs a user")
	}
	mail, err := m.client()
	if err != nil {
		return nil, err
	}
	owner := clientID(userID)
	podID, err := makePod(ctx, mail, owner)
	if err != nil {
		return nil, err
	}
	if err := sweepKeys(ctx, mail, podID, owner, ""); err != nil {
		return nil, err
	}
	return makeKey(ctx, mail, podID, owner)
}

// makePod finds or makes the pod of the owner and gives its id.
func makePod(ctx context.Context, mail api, owner string) (string, error) {
	pod, err := mail.CreatePod(ctx, podParams{ClientID: owner, Name: owner + "-pod"})
	if err != nil {
		return "", fmt.Errorf("creating the user's pod: %w", err)
	}
	return pod.text("pod_id"), checkOwner(pod, owner)
}

// keyName is the name of the keys that are made for a user, and of no others.
func keyName(owner string) string { return owner + "-agpt-managed" }

// sweepKeys deletes the keys that were made for the owner, but for one.
func sweepKeys(ctx context.Context, mail api, podID, owner, keep string) error {
	err := sweep(ctx, "api_key_id",
		func(key object) bool { return key.text("name") == keyName(owner) && key.text("api_key_id") != keep },
		func(ctx context.Context, q listQuery) (*page, error) { return mail.ListPodKeys(ctx, podID, q) },
		func(ctx context.Context, id string) error { return mail.DeletePodKey(ctx, podID, id) })
	if err != nil {
		return fmt.Errorf("removing keys that nobody uses: %w", err)
	}
	return nil
}

func makeKey(ctx context.Context, mail api, podID, owner string) (core.Credential, error) {
	key, err := mail.CreatePodKey(ctx, podID, keyName(owner))
	if err != nil {
		return nil, fmt.Errorf("creating the user's key: %w", err)
	}
	return core.APIKey{
		CredentialBase: core.CredentialBase{
			ID: uuid.NewString(), Provider: "agent_mail", Title: managedTitle, Managed: true,
			Metadata: map[string]any{metaPod: podID, metaKey: key.ID},
		},
		Key: key.Secret,
	}, nil
}

// Deprovision deletes the user's pod with everything in it, and comes back only
// when the vendor no longer knows the pod. The credential may be nil, lack the
// pod's id or name a pod that has gone; the pod is then looked for by its owner.
func (m *managed) Deprovision(ctx context.Context, userID string, c core.Credential) error {
	if userID == "" {
		return core.Errorf(core.Invalid, "a managed credential needs a user")
	}
	mail, err := m.client()
	if err != nil {
		return err
	}
	owner := clientID(userID)
	podID := ""
	if c != nil {
		podID, _ = c.Base().Metadata[metaPod].(string)
	}
	pod := object{}
	if podID != "" {
		pod, err = mail.GetPod(ctx, podID)
	}
	if podID == "" || isStatus(err, http.StatusNotFound) {
		// It is not known, or it has gone and another one may have been made in its
		// place whose credential was lost.
		if podID, err = findPod(ctx, mail, owner); podID == "" || err != nil {
			return err
		}
		pod, err = mail.GetPod(ctx, podID)
	}
	if isStatus(err, http.StatusNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the user's pod: %w", err)
	}
	if err := checkOwner(pod, owner); err != nil {
		return err
	}
	return m.teardown(ctx, mail, podID)
}

// checkOwner refuses a pod that was not made for the owner. The default pod of
// an organisation, which has the organisation's id, is nobody's.
func checkOwner(pod object, owner string) error {
	id := pod.text("pod_id")
	if id == "" || id == pod.text("organization_id") || pod.text("client_id") != owner {
		return core.Errorf(core.Forbidden, "the AgentMail pod %q does not belong to this user", id)
	}
	return nil
}

// findPod gives the id of the owner's pod, or "" when there is none.
func findPod(ctx context.Context, mail api, owner string) (string, error) {
	q := listQuery{Limit: maxPage}
	for {
		p, err := mail.ListPods(ctx, q)
		if err != nil {
			return "", fmt.Errorf("looking for the user's pod: %w", err)
		}
		for _, pod := range p.Items {
			if pod.text("client_id") == owner {
				return pod.text("pod_id"), nil
			}
		}
		if p.Next == "" || p.Next == q.PageToken {
			return "", nil
		}
		q.PageToken = p.Next
	}
}

// clientID gives an id in the characters that the vendor takes, letters, digits
// and -._~, and at most 256 of them. Other characters, and ~, become ~ and two
// hexadecimal digits a byte, so that two ids never become the same; an id that
// gets too long becomes its hash.
func clientID(id string) string {
	var b strings.Builder
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "~%02X", c)
		}
	}
	if b.Len() > maxClientID {
		sum := sha256.Sum256([]byte(id))
		return "~sha256~" + hex.EncodeToString(sum[:])
	}
	return b.String()
}

// maxClientID leaves room for what is added to make names.
const maxClientID = 240
