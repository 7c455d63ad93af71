package video

import (
	"context"

	"agentserver/core"
)

// maxVideos is the most videos that are joined at once; each is open all the
// time.
const maxVideos = 32

type concatInput struct {
	Videos     []string `json:"videos" type:"array<string(file)>" doc:"Videos to join, in their order; 2 to 32"`
	Transition string   `json:"transition" enum:"none,crossfade,fade_black" default:"none" doc:"What happens between two videos: nothing, one fades into the other, or each fades from and to black"`
	Seconds    int      `json:"transition_duration" min:"0" default:"1" doc:"Length of a transition in seconds"`
	Format     string   `json:"output_format" enum:"mp4,webm,mkv,mov" default:"mp4" doc:"Format of the result"`
}

type concatOutput struct {
	Video core.Pin[string]  `json:"video_out" format:"file" doc:"The joined video"`
	Total core.Pin[float64] `json:"total_duration" doc:"Its length in seconds"`
}

var concat = core.NewBlock(core.BlockSpec{
	ID: "9b0f531a-1118-487f-aeec-3fa63ea8900a", Name: "VideoConcatBlock",
	Description: "Joins videos one after the other, with transitions. The result has the size and the picture rate of the first.",
	Categories:  categories,
}, func(ctx context.Context, run *core.Run, in *concatInput, out *concatOutput) error {
	if len(in.Videos) < 2 {
		return core.Errorf(core.Invalid, "At least 2 videos are required for concatenation")
	}
	if len(in.Videos) > maxVideos {
		return core.Errorf(core.Invalid, "At most %d videos can be concatenated at once", maxVideos)
	}
	if err := installed(); err != nil {
		return err
	}
	files := make([]*core.LocalFile, len(in.Videos))
	for i, ref := range in.Videos {
		var err error
		if files[i], err = run.Files.Local(ctx, run, ref); err != nil {
			return err
		}
	}
	videos, err := probeAll(ctx, files)
	if err != nil {
		return failing("concatenate videos", err)
	}
	j, err := newJoin(videos, in.Transition, in.Seconds)
	if err != nil {
		return err
	}
	ref, err := j.make(ctx, run, in.Format)
	if err != nil {
		return failing("concatenate videos", err)
	}
	out.Video.Emit(ref)
	out.Total.Emit(j.total)
	return nil
})

// probeAll looks at files that must hold video.
func probeAll(ctx context.Context, files []*core.LocalFile) ([]*media, error) {
	var videos []*media
	for i, file := range files {
		m, err := probe(ctx, file)
		if err == nil {
			err = m.needVideo()
		}
		if err == nil {
			err = m.video.checkSize()
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, core.Errorf(core.KindOf(err), "video %d: %w", i+1, err)
		}
		videos = append(videos, m)
	}
	return videos, nil
}
