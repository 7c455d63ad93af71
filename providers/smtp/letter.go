package smtp

import (
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"agentserver/core"
)

// Limits of a mail.
const (
	maxRecipients = 50
	maxSubject    = 998      // characters, as a line of a mail has
	maxBody       = 10 << 20 // bytes
)

// letter is a mail with the addresses that it goes from and to.
type letter struct {
	from string
	to   []string
	msg  *gomail.Msg
}

// newLetter checks what the agent gave and makes a mail of it. The sender is the
// user who signs in at the server.
func newLetter(in *sendInput) (*letter, error) {
	sender, err := mail.ParseAddress(in.Credentials.Username.Reveal())
	if err != nil {
		return nil, core.WithCause(core.Invalid, err, "The mail is sent from the username of the credentials, which must be an email address.")
	}
	recipients, err := recipientsOf(in.To)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.ContainsAny(in.Subject, "\r\n"):
		return nil, core.Errorf(core.Invalid, "The subject must be a single line.")
	case utf8.RuneCountInString(in.Subject) > maxSubject:
		return nil, core.Errorf(core.TooLarge, "The subject is longer than %d characters.", maxSubject)
	case len(in.Body) > maxBody:
		return nil, core.Errorf(core.TooLarge, "The body is larger than %d MB.", maxBody>>20)
	}
	l := &letter{from: sender.Address, msg: gomail.NewMsg(gomail.WithNoDefaultUserAgent())}
	l.msg.FromMailAddress(sender)
	l.msg.ToMailAddress(recipients...)
	for _, r := range recipients {
		l.to = append(l.to, r.Address)
	}
	// The library would put the name of this machine there.
	_, domain, _ := strings.Cut(sender.Address, "@")
	l.msg.SetMessageIDWithValue(uuid.NewString() + "@" + domain)
	l.msg.SetDate()
	l.msg.Subject(in.Subject)
	l.msg.SetBodyString(gomail.TypeTextPlain, in.Body)
	return l, nil
}

func recipientsOf(text string) ([]*mail.Address, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, core.Errorf(core.Invalid, "The recipients must be on a single line.")
	}
	if strings.Count(text, ",") >= 4*maxRecipients { // names may hold commas, too
		return nil, tooManyRecipients()
	}
	list, err := mail.ParseAddressList(strings.Trim(text, " ,"))
	if err != nil {
		return nil, core.WithCause(core.Invalid, err, "Recipient email address '"+brief(text)+"' is not a valid address, or list of addresses with commas between them.")
	}
	if len(list) > maxRecipients {
		return nil, tooManyRecipients()
	}
	return list, nil
}

func tooManyRecipients() error {
	return core.Errorf(core.TooLarge, "A mail can have at most %d recipients.", maxRecipients)
}

// brief shortens a text that a message repeats.
func brief(s string) string {
	const limit = 300
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
