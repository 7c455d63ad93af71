package video

import (
	"context"

	"agentserver/core"
)

type loopInput struct {
	Video    string   `json:"video_in" format:"file" doc:"Video to repeat"`
	Duration *float64 `json:"duration" min:"0" max:"3600" doc:"Length of the result in seconds; counts more than n_loops"`
	Loops    *int     `json:"n_loops" min:"1" max:"10" doc:"How often the video is shown"`
}

type loopOutput struct {
	Video core.Pin[string] `json:"video_out" format:"file" doc:"The repeated video, as MP4"`
}

var loop = core.NewBlock(core.BlockSpec{
	ID: "8bf9eef6-5451-4213-b265-25306446e94b", Name: "LoopVideoBlock",
	Description: "Repeats a video with its sound a number of times, or for a length of time.",
	Categories:  categories,
}, func(ctx context.Context, run *core.Run, in *loopInput, out *loopOutput) error {
	// Zero counts as not given.
	timed := in.Duration != nil && *in.Duration > 0
	counted := in.Loops != nil && *in.Loops > 0
	if !timed && !counted {
		return core.Errorf(core.Invalid, "Either 'duration' or 'n_loops' must be provided.")
	}
	if err := installed(); err != nil {
		return err
	}
	m, err := open(ctx, run, in.Video)
	if err != nil {
		return err
	}
	if err := m.needVideo(); err != nil {
		return err
	}
	var length float64
	if timed {
		length = *in.Duration
	} else {
		length = m.seconds * float64(*in.Loops)
	}
	if err := m.checkWork(length); err != nil {
		return err
	}
	ref, err := encode(ctx, run, "looped", m, "mp4", length,
		inputOf(m, "-stream_loop", "-1"), mapOf(0, m.video), mapOf(0, m.audio),
		[]string{"-vf", steady(m.video)}, videoCodec("mp4"), audioCodec("mp4"))
	if err != nil {
		return err
	}
	out.Video.Emit(ref)
	return nil
})
