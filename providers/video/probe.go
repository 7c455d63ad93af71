package video

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"agentserver/core"
)

// probeTime bounds a look at a file.
const probeTime = time.Minute

// media is a file and what ffprobe tells of it.
type media struct {
	file *core.LocalFile
	// format are ffmpeg's names of the format, seconds its length.
	format  string
	seconds float64
	// video and audio are the first stream of each kind, nil when there is none.
	// A cover picture is no video.
	video, audio *stream
}

// stream is one stream of a file.
type stream struct {
	Index         int    `json:"index"`
	Kind          string `json:"codec_type"`
	Codec         string `json:"codec_name"`
	Width, Height int
	Pixels        string `json:"pix_fmt"`
	AverageRate   string `json:"avg_frame_rate"`
	Seconds       string `json:"duration"`
	Disposition   struct {
		Picture int `json:"attached_pic"`
	}
	SideData []struct {
		Rotation float64 `json:"rotation"` // degrees
	} `json:"side_data_list"`
}

// turn swaps the sides of a video that is shown on its side, as ffmpeg does.
func (s *stream) turn() {
	for _, d := range s.SideData {
		if math.Mod(math.Abs(d.Rotation), 180) == 90 {
			s.Width, s.Height = s.Height, s.Width
			return
		}
	}
}

// open copies a file to disk and looks at it.
func open(ctx context.Context, run *core.Run, ref string) (*media, error) {
	file, err := run.Files.Local(ctx, run, ref)
	if err != nil {
		return nil, err
	}
	return probe(ctx, file)
}

// probe looks at a file on disk. Errors are of kind Invalid for what is no
// media file, or is of a format that is not read.
func probe(ctx context.Context, file *core.LocalFile) (*media, error) {
	if err := probes.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer probes.Release(1)
	data, err := execute(ctx, probeTime, config.FFprobe, filepath.Dir(file.Path), []string{
		"-hide_banner", "-v", "error", "-protocol_whitelist", "file", "-format_whitelist", readable, "-print_format", "json",
		"-show_entries", "format=format_name,duration:stream=index,codec_type,codec_name,width,height,pix_fmt,avg_frame_rate,duration:stream_disposition=attached_pic:stream_side_data=rotation",
		"-i", "file:" + file.Path,
	})
	var failed *failure
	if errors.As(err, &failed) {
		if strings.Contains(failed.text, "not on whitelist") {
			return nil, core.Errorf(core.Invalid, "the file is of a kind that is not read here")
		}
		return nil, core.Errorf(core.Invalid, "the file is not readable as video or audio: %s", failed.text)
	}
	if err != nil {
		return nil, err
	}
	return readProbe(file, data)
}

func readProbe(file *core.LocalFile, data []byte) (*media, error) {
	var told struct {
		Format struct {
			Name    string `json:"format_name"`
			Seconds string `json:"duration"`
		}
		Streams []stream
	}
	if err := json.Unmarshal(data, &told); err != nil {
		return nil, core.WithCause(core.Invalid, err, "the file has too many streams, or odd ones")
	}
	m := &media{file: file, format: told.Format.Name, seconds: seconds(told.Format.Seconds)}
	for i := range told.Streams {
		s := &told.Streams[i]
		switch {
		case s.Kind == "video" && s.Disposition.Picture == 0 && m.video == nil:
			m.video = s
			s.turn()
		case s.Kind == "audio" && m.audio == nil:
			m.audio = s
		default:
			continue
		}
		// Formats without a length of their own have one in each stream.
		if told.Format.Seconds == "" {
			m.seconds = max(m.seconds, seconds(s.Seconds))
		}
	}
	if m.video == nil && m.audio == nil {
		return nil, core.Errorf(core.Invalid, "the file holds neither video nor audio")
	}
	if m.seconds <= 0 {
		return nil, core.Errorf(core.Invalid, "the file does not tell how long it is")
	}
	return m, nil
}

// seconds reads a length, 0 for what is none.
func seconds(text string) float64 {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || !(s > 0 && s < math.MaxInt32) {
		return 0
	}
	return s
}

// needVideo is an error for files without video.
func (m *media) needVideo() error {
	if m.video == nil {
		return core.Errorf(core.Invalid, "the file holds no video")
	}
	return nil
}

// needAudio is an error for files without sound.
func (m *media) needAudio() error {
	if m.audio == nil {
		return core.Errorf(core.Invalid, "the file holds no audio")
	}
	return nil
}
