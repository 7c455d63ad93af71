package credential

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fernet/fernet-go"

	"agentserver/core"
)

// RecordKey opens the records in which the AutoGPT Platform keeps credentials.
type RecordKey struct{ key *fernet.Key }

// ParseRecordKey reads the ENCRYPTION_KEY of an AutoGPT Platform: 32 bytes in
// base64. The error does not hold the text.
func ParseRecordKey(text core.Secret) (RecordKey, error) {
	key, err := fernet.DecodeKey(strings.TrimSpace(text.Reveal()))
	if err != nil {
		return RecordKey{}, core.Errorf(core.Invalid, "the key is not 32 bytes in base64, as ENCRYPTION_KEY of the AutoGPT Platform is")
	}
	return RecordKey{key}, nil
}

// Record is what the AutoGPT Platform keeps for one user.
type Record struct {
	// Credentials are those that are valid here, in order.
	Credentials []core.Credential
	// Failed are the others.
	Failed []ImportNote
	// AyrshareProfile is set when there is a profile key of Ayrshare.
	AyrshareProfile bool
}

// shortestToken is the length of a token of no text at all.
const shortestToken = 100

// Open reads the text of the column integrations. No text is an empty record.
// Tokens do not expire. Errors hold nothing of the content.
//
// Sign-ins that had begun are left out, as they last ten minutes only.
func (k RecordKey) Open(token string) (Record, error) {
	token = strings.TrimSpace(token)
	if token == "" {
		return Record{}, nil
	}
	var plain []byte
	if len(token) >= shortestToken {
		plain = fernet.VerifyAndDecrypt([]byte(token), 0, []*fernet.Key{k.key})
	}
	if plain == nil {
		return Record{}, errors.New("it does not open: it is damaged, or another key sealed it")
	}
	var content struct {
		Managed struct {
			Ayrshare string `json:"ayrshare_profile_key"`
		} `json:"managed_credentials"`
		Credentials []json.RawMessage `json:"credentials"`
	}
	// The cause may quote a secret.
	if json.Unmarshal(plain, &content) != nil {
		return Record{}, errors.New("it opens, and its content is not what the AutoGPT Platform writes")
	}
	record := Record{AyrshareProfile: content.Managed.Ayrshare != ""}
	for i, data := range content.Credentials {
		c, note := readEntry(data)
		if note.Reason != "" {
			if note.ID == "" {
				note.ID = fmt.Sprintf("number %d", i+1)
			}
			record.Failed = append(record.Failed, note)
			continue
		}
		record.Credentials = append(record.Credentials, c)
	}
	return record, nil
}

// recordEntry is a credential in a record: what users may set, and the rest.
type recordEntry struct {
	Input
	Provider  string         `json:"provider"`
	IsManaged bool           `json:"is_managed"`
	Metadata  map[string]any `json:"metadata"`
}

// readEntry reads one credential, or says why it is not one.
func readEntry(data []byte) (core.Credential, ImportNote) {
	var entry recordEntry
	err := json.Unmarshal(data, &entry)
	note := ImportNote{ID: entry.ID}
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		note.Reason = plainField(wrong.Field) + " has the wrong type"
	case err != nil:
		note.Reason = "it is not an object"
	case entry.ID == "":
		note.Reason = "it has no id"
	case entry.Provider == "":
		note.Reason = "it has no provider"
	}
	if note.Reason != "" {
		return nil, note
	}
	c, _, err := entry.credential(ProviderName(entry.Provider))
	if err != nil {
		note.Reason = reasons(err)
		return nil, note
	}
	return owned(c, entry.IsManaged, entry.Metadata), note
}

// plainField gives the name of a member without the keys of the maps below it,
// which are content.
func plainField(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "Input."), ".")
	return name
}

// reasons tells what is wrong with an input in one line.
func reasons(err error) string {
	var known *core.Error
	if !errors.As(err, &known) {
		return "it is not valid"
	}
	problems, _ := known.Detail.([]map[string]any)
	var parts []string
	for _, p := range problems {
		part := fmt.Sprint(p["msg"])
		// Body, type, member; what follows may be content.
		if loc, _ := p["loc"].([]any); len(loc) > 2 {
			part = fmt.Sprintf("%v: %s", loc[2], part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// owned sets what users cannot set themselves.
func owned(c core.Credential, managed bool, metadata map[string]any) core.Credential {
	switch c := c.(type) {
	case core.APIKey:
		c.Managed, c.Metadata = managed, metadata
		return c
	case core.OAuth2:
		c.Managed, c.Metadata = managed, metadata
		return c
	case core.UserPassword:
		c.Managed, c.Metadata = managed, metadata
		return c
	case core.HostScoped:
		c.Managed, c.Metadata = managed, metadata
		return c
	default:
		return c
	}
}
