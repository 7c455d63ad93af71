package video

import (
	"context"
	"math"
	"strings"

	"agentserver/core"
)

// maxVolume is far more than any sound needs.
const maxVolume = 1000

type audioInput struct {
	Video  string  `json:"video_in" format:"file" doc:"Video whose sound is replaced"`
	Audio  string  `json:"audio_in" format:"file" doc:"Sound to put in: a sound file, or a video with sound"`
	Volume float64 `json:"volume" default:"1.0" doc:"Factor by which the sound is made louder or softer; 1.0 leaves it as it is"`
}

type audioOutput struct {
	Video core.Pin[string] `json:"video_out" format:"file" doc:"The video with the new sound, as MP4"`
}

var addAudio = core.NewBlock(core.BlockSpec{
	ID: "3503748d-62b6-4425-91d6-725b064af509", Name: "AddAudioToVideoBlock",
	Description: "Replaces the sound of a video. Longer sound makes the video longer, and after shorter sound it is silent.",
	Categories:  categories,
}, func(ctx context.Context, run *core.Run, in *audioInput, out *audioOutput) error {
	if math.Abs(in.Volume) > maxVolume {
		return core.Errorf(core.Invalid, "volume must be between -%d and %d", maxVolume, maxVolume)
	}
	if err := installed(); err != nil {
		return err
	}
	picture, err := open(ctx, run, in.Video)
	if err != nil {
		return err
	}
	if err := picture.needVideo(); err != nil {
		return err
	}
	sound, err := open(ctx, run, in.Audio)
	if err != nil {
		return err
	}
	if err := sound.needAudio(); err != nil {
		return err
	}
	// The pictures are read and written for the length of the video only, but
	// the result can be as long as the sound.
	if err := picture.checkWork(picture.seconds); err != nil {
		return err
	}
	length := max(picture.seconds, sound.seconds)
	if err := work(0).check(length); err != nil {
		return err
	}
	var filter []string
	if in.Volume != 1 {
		filter = []string{"-af", "volume=" + decimal(in.Volume)}
	}
	ref, err := encode(ctx, run, "with_audio", picture, "mp4", length,
		inputOf(picture), inputOf(sound), mapOf(0, picture.video), mapOf(1, sound.audio),
		keepPictures(picture), filter, audioCodec("mp4"))
	if err != nil {
		return err
	}
	out.Video.Emit(ref)
	return nil
})

// keepPictures gives the options of the video encoder for an MP4 file: none
// where the pictures can be taken over as they are, which is quick and loses
// nothing.
func keepPictures(m *media) []string {
	timed := strings.HasPrefix(m.format, "mov,") || strings.HasPrefix(m.format, "matroska,")
	if timed && m.video.Codec == "h264" && m.video.Pixels == "yuv420p" {
		return []string{"-c:v", "copy"}
	}
	return append([]string{"-vf", steady(m.video)}, videoCodec("mp4")...)
}
