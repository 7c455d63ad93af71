package builtin

import (
	"context"
	"strings"

	"agentserver/core"
)

func fileInput() core.Block {
	type input struct {
		inputHead
		Value *string `json:"value" title:"Default Value" format:"file" advanced:"false" doc:"File used when the run gives none"`
		inputTail
		Base64 bool `json:"base_64" title:"Produce Base64 Output" default:"false" doc:"Give the content itself as a data URI instead of a reference"`
	}
	return core.NewBlock(inputSpec("95ead23f-8283-4654-aef3-10c053b74a31", "AgentFileInputBlock",
		"Takes a file from whoever runs the agent."),
		func(ctx context.Context, run *core.Run, in *input, out *textResult) error {
			if in.Value == nil || *in.Value == "" {
				return nil
			}
			ref, err := storeFile(ctx, run, *in.Value, in.Base64)
			if err != nil {
				return err
			}
			out.Result.Emit(ref)
			return nil
		})
}

// storeFile stores a file and gives a reference to it or, when inline is set,
// its content as a data URI. A file of the workspace stays where it is.
func storeFile(ctx context.Context, run *core.Run, ref string, inline bool) (string, error) {
	if inline {
		data, mime, _, err := run.Files.Open(ctx, run, ref)
		if err != nil {
			return "", err
		}
		return core.DataURI(data, mime), nil
	}
	file, err := run.Files.Local(ctx, run, ref)
	if err != nil {
		return "", err
	}
	if strings.HasPrefix(ref, "workspace:") {
		base, kind, _ := strings.Cut(ref, "#")
		if kind == "" {
			return base + "#" + file.MIME, nil
		}
		return ref, nil
	}
	return run.Files.Store(ctx, run, file)
}
