package video

import "strings"

// readable are the formats that are read, by the names of ffmpeg's demuxers. It
// is a list of what is allowed, because others open further files and
// addresses that they name: playlists (hls, dash, concat), image sequences and
// devices. Both programs are told this list, so that a file's name or type says
// nothing about how it is read.
var readable = strings.Join([]string{
	"mov", "matroska", "avi", "mpegts", "mpeg", "flv", "ogg", "mp3", "wav", "flac", "aac", "gif",
}, ",")

// muxers are ffmpeg's names of the formats that are written.
var muxers = map[string]string{"mp4": "mp4", "mov": "mov", "mkv": "matroska", "webm": "webm"}

// videoCodec gives the options of the video encoder for a format.
func videoCodec(format string) []string {
	if format == "webm" {
		// Without a bit rate this encoder takes one that suits thumbnails.
		return []string{"-c:v", "libvpx", "-deadline", "good", "-cpu-used", "4", "-crf", "12", "-b:v", "4M", "-pix_fmt", "yuv420p"}
	}
	return []string{"-c:v", "libx264", "-preset", "medium", "-pix_fmt", "yuv420p"}
}

// audioCodec gives the options of the audio encoder for a format.
func audioCodec(format string) []string {
	codec := "aac"
	if format == "webm" {
		codec = "libvorbis"
	}
	return []string{"-c:a", codec, "-ar", "44100", "-ac", "2"}
}
