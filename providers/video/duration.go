package video

import (
	"context"

	"agentserver/core"
)

type durationInput struct {
	Media   string `json:"media_in" format:"file" doc:"Video or sound file"`
	IsVideo bool   `json:"is_video" default:"true" doc:"Whether the file must hold video; else it must hold sound"`
}

type durationOutput struct {
	Duration core.Pin[float64] `json:"duration" doc:"Length in seconds"`
}

var mediaDuration = core.NewBlock(core.BlockSpec{
	ID: "d8b91fd4-da26-42d4-8ecb-8b196c6d84b6", Name: "MediaDurationBlock",
	Description: "Tells how long a video or a sound file is.",
	Categories:  categories,
}, func(ctx context.Context, run *core.Run, in *durationInput, out *durationOutput) error {
	if _, err := locate(config.FFprobe); err != nil {
		return err
	}
	m, err := open(ctx, run, in.Media)
	if err != nil {
		return err
	}
	need := m.needAudio
	if in.IsVideo {
		need = m.needVideo
	}
	if err := need(); err != nil {
		return err
	}
	out.Duration.Emit(m.seconds)
	return nil
})
