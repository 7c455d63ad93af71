package builtin

import (
	"context"

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
// its content as a data URI. Where files cannot be stored, a data URI stays
// what it is.
func storeFile(ctx context.Context, run *core.Run, ref string, inline bool) (string, error) {
	var data []byte
	var mime, name string
	isData := core.IsDataURI(ref)
	var err error
	if isData {
		data, mime, err = core.ParseDataURI(ref)
	} else {
		data, mime, name, err = run.Files.Open(ctx, run, ref)
	}
	if err != nil {
		return "", err
	}
	if inline {
		return core.DataURI(data, mime), nil
	}
	stored, err := run.Files.Put(ctx, run, data, mime, name)
	if isData && core.KindOf(err) == core.Unavailable {
		return core.DataURI(data, mime), nil
	}
	return stored, err
}
