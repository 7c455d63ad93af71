package smtp

import (
	"context"

	"agentserver/core"
)

// server is where mail is handed in.
type server struct {
	Host string `json:"smtp_server" advanced:"false" doc:"Name of the mail server"`
	Port *int   `json:"smtp_port" type:"integer" default:"25" advanced:"true" doc:"Its port: 465 for TLS from the start, or 25, 587 or 2525 for TLS after STARTTLS"`
}

type sendInput struct {
	To          string            `json:"to_email" placeholder:"recipient@example.com" doc:"Address of the recipient, or several with commas between them"`
	Subject     string            `json:"subject" doc:"Subject of the mail"`
	Body        string            `json:"body" doc:"Text of the mail"`
	Config      server            `json:"config" title:"SMTP Config" doc:"Mail server that sends the mail"`
	Credentials core.UserPassword `json:"credentials" doc:"Address and password of the sender at the mail server"`
}

type sendOutput struct {
	Status core.Pin[string] `json:"status" doc:"That the mail was sent"`
}

func newSendEmail(m mailer) core.Block {
	return core.NewBlock(core.BlockSpec{
		ID: "4335878a-394e-4e67-adf2-919877ff49ae", Name: "SendEmailBlock", Sensitive: true, ErrorPin: core.ErrorPinDeclared,
		Description: "Sends a mail through a mail server.",
		Categories:  []core.Category{core.CategoryOutput},
	}, func(ctx context.Context, run *core.Run, in *sendInput, out *sendOutput) error {
		s, err := newSession(m, in)
		if err != nil {
			return err
		}
		letter, err := newLetter(in)
		if err != nil {
			return err
		}
		if err := s.send(ctx, run.Dial, letter); err != nil {
			return err
		}
		out.Status.Emit("Email sent successfully")
		return nil
	})
}
