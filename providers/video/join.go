package video

import (
	"context"
	"fmt"
	"strings"

	"agentserver/core"
)

// join is how videos become one.
type join struct {
	videos     []*media
	transition string
	fade       float64 // seconds of a transition
	total      float64 // seconds of the result
	sound      bool    // whether any of the videos has sound
}

// newJoin plans a join. Transitions must be shorter than each of the videos.
func newJoin(videos []*media, transition string, fade int) (*join, error) {
	j := &join{videos: videos, transition: transition, fade: float64(fade)}
	if fade == 0 {
		j.transition = "none"
	}
	shortest := videos[0].seconds
	for _, m := range videos {
		j.total += m.seconds
		j.sound = j.sound || m.audio != nil
		shortest = min(shortest, m.seconds)
	}
	if j.transition == "none" {
		return j, nil
	}
	if j.fade >= shortest {
		return nil, core.Errorf(core.Invalid, "transition_duration (%ds) must be shorter than the shortest clip (%.2fs)", fade, shortest)
	}
	if j.transition == "crossfade" {
		j.total -= j.fade * float64(len(videos)-1)
	}
	return j, nil
}

// make joins the videos.
func (j *join) make(ctx context.Context, run *core.Run, format string) (string, error) {
	first := j.videos[0]
	var w work
	w.add(first.video, j.total)
	for _, m := range j.videos {
		w.add(m.video, m.seconds)
	}
	if err := w.check(j.total); err != nil {
		return "", err
	}
	var args [][]string
	for _, m := range j.videos {
		args = append(args, inputOf(m))
	}
	args = append(args, []string{"-filter_complex", j.graph(), "-map", "[v]"}, videoCodec(format))
	if j.sound {
		args = append(args, []string{"-map", "[a]"}, audioCodec(format))
	}
	return encode(ctx, run, "concat", first, format, j.total, args...)
}

// graph gives the filters that make of all inputs the outputs v and, if there is
// sound, a.
func (j *join) graph() string {
	var parts []string
	for i, m := range j.videos {
		parts = append(parts, j.pictures(i, m))
		if j.sound {
			parts = append(parts, sound(i, m))
		}
	}
	if j.transition == "crossfade" {
		parts = append(parts, j.crossfades()...)
	} else {
		parts = append(parts, j.chain())
	}
	return strings.Join(parts, ";")
}

// pictures brings the i-th video to the size and the rate of the first, with
// black borders where the shape differs, and to exactly its length, holding its
// last picture where the sound goes on. It gives v0, v1, ...
func (j *join) pictures(i int, m *media) string {
	first := j.videos[0].video
	width, height := even(first.Width), even(first.Height)
	filters := []string{
		fmt.Sprintf("[%d:%d]fps=%s:start_time=0", i, m.video.Index, first.rate()),
		fmt.Sprintf("scale=%d:%d:force_original_aspect_ratio=decrease", width, height),
		fmt.Sprintf("pad=%d:%d:(ow-iw)/2:(oh-ih)/2", width, height),
		"setsar=1", "format=yuv420p", "tpad=stop=-1:stop_mode=clone", "trim=duration=" + decimal(m.seconds), "setpts=PTS-STARTPTS",
	}
	if j.transition == "fade_black" {
		fade := decimal(j.fade)
		filters = append(filters, "fade=t=in:st=0:d="+fade, "fade=t=out:st="+decimal(m.seconds-j.fade)+":d="+fade)
	}
	return fmt.Sprintf("%s[v%d]", strings.Join(filters, ","), i)
}

// sound brings the i-th sound to exactly the length of its video, silent where
// there is none. It gives a0, a1, ...
func sound(i int, m *media) string {
	length := decimal(m.seconds)
	if m.audio == nil {
		return fmt.Sprintf("anullsrc=r=44100:cl=stereo,aformat=sample_fmts=fltp,atrim=duration=%s[a%d]", length, i)
	}
	return fmt.Sprintf("[%d:%d]aresample=44100:async=1:first_pts=0,aformat=sample_fmts=fltp:channel_layouts=stereo,apad,"+
		"atrim=duration=%s,asetpts=PTS-STARTPTS[a%d]", i, m.audio.Index, length, i)
}

// chain puts one after the other.
func (j *join) chain() string {
	var in strings.Builder
	for i := range j.videos {
		fmt.Fprintf(&in, "[v%d]", i)
		if j.sound {
			fmt.Fprintf(&in, "[a%d]", i)
		}
	}
	if j.sound {
		return fmt.Sprintf("%sconcat=n=%d:v=1:a=1[v][a]", in.String(), len(j.videos))
	}
	return fmt.Sprintf("%sconcat=n=%d:v=1:a=0[v]", in.String(), len(j.videos))
}

// crossfades lets each video fade into the next, and the sound as well.
func (j *join) crossfades() []string {
	var parts []string
	picture, tone, length := "v0", "a0", j.videos[0].seconds
	for i := 1; i < len(j.videos); i++ {
		nextPicture, nextTone := fmt.Sprintf("x%d", i), fmt.Sprintf("y%d", i)
		if i == len(j.videos)-1 {
			nextPicture, nextTone = "v", "a"
		}
		length -= j.fade
		parts = append(parts, fmt.Sprintf("[%s][v%d]xfade=transition=fade:duration=%s:offset=%s[%s]",
			picture, i, decimal(j.fade), decimal(length), nextPicture))
		if j.sound {
			parts = append(parts, fmt.Sprintf("[%s][a%d]acrossfade=d=%s[%s]", tone, i, decimal(j.fade), nextTone))
		}
		length += j.videos[i].seconds
		picture, tone = nextPicture, nextTone
	}
	return parts
}
