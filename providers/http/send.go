package http

import (
	"context"

	"agentserver/core"
	"agentserver/core/rest"
)

type sendInput struct {
	rest.WebInput
	Credentials core.HostScoped `json:"credentials" doc:"Headers for the host of the address"`
}

var sendAuthenticated = core.NewBlock(core.BlockSpec{
	ID: "fff86bcd-e001-4bad-a7f6-2eae4720c8dc", Name: "SendAuthenticatedWebRequestBlock", ErrorPin: core.ErrorPinDeclared,
	Description: "Sends a request to a web address with the headers of a credential, and gives what comes back.",
	Categories:  []core.Category{core.CategoryOutput},
	Credentials: map[string]core.CredentialsField{"credentials": {Discriminator: "url"}},
}, func(ctx context.Context, run *core.Run, in *sendInput, out *rest.WebOutput) error {
	u, err := rest.ParseURL(in.URL)
	if err != nil {
		return err
	}
	headers := in.Credentials.Headers
	if !belongs(in.Credentials.Host, u) {
		run.Log.WarnContext(ctx, "the request goes without its credential, which is for another host",
			"host", u.Host, "credential_host", in.Credentials.Host)
		headers = nil
	}
	return in.Send(ctx, run, headers, out)
})
