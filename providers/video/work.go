package video

import (
	"math"
	"strconv"
	"strings"

	"agentserver/core"
)

// Bounds of the work that one video makes.
const (
	// maxPixels of a picture: 4096 by 2304, either way up.
	maxPixels = 4096 * 2304
	// maxRate is the most pictures a second; what has more loses some.
	maxRate = 120
	// maxWork is the most pixels of all pictures that are read and written: an
	// hour of 1920 by 1080 with 30 pictures a second, and twice that for reading
	// and writing.
	maxWork = 2 * 1920 * 1080 * 30 * 3600
)

// work adds up what is to be done for a video.
type work float64

// add counts pictures of a stream's size and rate.
func (w *work) add(s *stream, seconds float64) {
	*w += work(float64(s.Width) * float64(s.Height) * s.perSecond() * seconds)
}

// check is an error of kind TooLarge when it is too much, or when the result
// is too long.
func (w work) check(seconds float64) error {
	if seconds > float64(config.MaxSeconds) {
		return core.Errorf(core.TooLarge, "the video would be %.2f seconds long, and the most here is %d", seconds, config.MaxSeconds)
	}
	if w > maxWork {
		return core.Errorf(core.TooLarge, "the videos have too many pixels for their length")
	}
	return nil
}

// checkWork is an error when it is too much to make so many seconds of a file's
// video anew.
func (m *media) checkWork(seconds float64) error {
	if err := m.video.checkSize(); err != nil {
		return err
	}
	var w work
	w.add(m.video, 2*seconds) // read, and written
	return w.check(seconds)
}

// checkSize is an error for pictures that are too large, or have no size.
func (s *stream) checkSize() error {
	switch {
	case s.Width <= 0 || s.Height <= 0:
		return core.Errorf(core.Invalid, "the video does not tell its size")
	case s.Width > maxPixels || s.Height > maxPixels || s.Width*s.Height > maxPixels:
		return core.Errorf(core.TooLarge, "the video has %d by %d pixels, and the most here is %d together", s.Width, s.Height, maxPixels)
	}
	return nil
}

// rate gives the pictures a second as a fraction, as ffmpeg takes it.
func (s *stream) rate() string {
	r := ratio(s.AverageRate)
	switch {
	case r <= 0:
		return "25"
	case r > maxRate:
		return strconv.Itoa(maxRate)
	}
	return s.AverageRate
}

// perSecond is rate as a number.
func (s *stream) perSecond() float64 { return ratio(s.rate()) }

// ratio gives the value of a fraction such as 30000/1001, 0 for what is none.
func ratio(text string) float64 {
	above, below, divided := strings.Cut(text, "/")
	a, err := strconv.ParseUint(above, 10, 31)
	if err != nil {
		return 0
	}
	if !divided {
		return float64(a)
	}
	b, err := strconv.ParseUint(below, 10, 31)
	if err != nil || b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// even rounds a side up: encoders take no odd ones.
func even(side int) int { return side + side%2 }

// decimal writes a number of seconds, or a factor, as ffmpeg takes it.
func decimal(f float64) string {
	return strconv.FormatFloat(math.Round(f*1e6)/1e6, 'f', -1, 64)
}
