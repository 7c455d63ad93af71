package builtin

import (
	"context"

	"agentserver/core"
	"agentserver/core/rest"
)

var sendWebRequest = core.NewBlock(core.BlockSpec{
	ID: "6595ae1f-b924-42cb-9a41-551a0611c4b4", Name: "SendWebRequestBlock", ErrorPin: core.ErrorPinDeclared,
	Description: "Sends a request to a web address and gives what comes back.",
	Categories:  []core.Category{core.CategoryOutput},
}, func(ctx context.Context, run *core.Run, in *rest.WebInput, out *rest.WebOutput) error {
	return in.Send(ctx, run, nil, out)
})
