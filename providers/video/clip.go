package video

import (
	"context"

	"agentserver/core"
)

type clipInput struct {
	Video  string  `json:"video_in" format:"file" doc:"Video to cut"`
	Start  float64 `json:"start_time" min:"0" doc:"Where the clip starts, in seconds"`
	End    float64 `json:"end_time" min:"0" doc:"Where the clip ends, in seconds"`
	Format string  `json:"output_format" enum:"mp4,webm,mkv,mov" default:"mp4" doc:"Format of the clip"`
}

type clipOutput struct {
	Video    core.Pin[string]  `json:"video_out" format:"file" doc:"The clip"`
	Duration core.Pin[float64] `json:"duration" doc:"Length of the clip in seconds"`
}

var clip = core.NewBlock(core.BlockSpec{
	ID: "8f539119-e580-4d86-ad41-86fbcb22abb1", Name: "VideoClipBlock",
	Description: "Cuts a part out of a video.",
	Categories:  categories,
}, func(ctx context.Context, run *core.Run, in *clipInput, out *clipOutput) error {
	if in.End <= in.Start {
		return core.Errorf(core.Invalid, "end_time (%s) must be greater than start_time (%s)", core.FormatFloat(in.End), core.FormatFloat(in.Start))
	}
	if err := installed(); err != nil {
		return err
	}
	file, err := run.Files.Local(ctx, run, in.Video)
	if err != nil {
		return err
	}
	ref, err := makeClip(ctx, run, file, in)
	if err != nil {
		return failing("clip video", err)
	}
	out.Video.Emit(ref)
	out.Duration.Emit(in.End - in.Start)
	return nil
})

// rounding is what the length of a file may differ from what is shown of it.
const rounding = 0.005

func makeClip(ctx context.Context, run *core.Run, file *core.LocalFile, in *clipInput) (string, error) {
	m, err := probe(ctx, file)
	if err != nil {
		return "", err
	}
	if err := m.needVideo(); err != nil {
		return "", err
	}
	if in.Start >= m.seconds {
		return "", core.Errorf(core.Invalid, "start_time (%.2f) should be smaller than the clip's duration (%.2f).", in.Start, m.seconds)
	}
	if in.End > m.seconds+rounding {
		return "", core.Errorf(core.Invalid, "end_time (%.2f) should be smaller or equal to the clip's duration (%.2f).", in.End, m.seconds)
	}
	length := in.End - in.Start
	if err := m.checkWork(length); err != nil {
		return "", err
	}
	return encode(ctx, run, "clip", m, in.Format, length,
		inputOf(m, "-ss", decimal(in.Start)), mapOf(0, m.video), mapOf(0, m.audio),
		[]string{"-vf", steady(m.video)}, videoCodec(in.Format), audioCodec(in.Format))
}
