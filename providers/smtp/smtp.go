// Package smtp sends mail through the mail server of a user's choice.
//
// The connection goes through the guarded dialer of the platform, so it reaches
// public addresses only. A password is never sent without TLS, and the server's
// certificate is always checked.
package smtp

import "agentserver/core"

var provider = &core.Provider{
	Name:   "smtp",
	Title:  "SMTP",
	Auth:   []core.AuthMethod{core.UserPasswordAuth{}},
	Blocks: []core.Block{newSendEmail(mailer{patience: patience})},
}

func init() { core.Register(provider) }
