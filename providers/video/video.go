// Package video cuts, joins and repeats videos, changes their sound and tells
// how long they are, with the programs ffmpeg and ffprobe of the server.
//
// A block copies its files to disk, looks at them with ffprobe (probe.go),
// refuses what would be too much work (work.go) and lets ffmpeg make the output
// (encode.go). Both programs run as children that end with the block
// (process.go), see nothing but files, and read only the formats in formats.go.
package video

import (
	"context"

	"golang.org/x/sync/semaphore"

	"agentserver/core"
)

// settings are the operator's, under providers.video.
type settings struct {
	FFmpeg     string `key:"ffmpeg" doc:"The program ffmpeg: a path, or a name that is looked up on PATH" default:"ffmpeg"`
	FFprobe    string `key:"ffprobe" doc:"The program ffprobe: a path, or a name that is looked up on PATH" default:"ffprobe"`
	MaxSeconds int    `key:"max_seconds" doc:"Longest video in seconds that blocks make" default:"3600" min:"1" max:"86400"`
	Jobs       int    `key:"jobs" doc:"Most videos that one process makes at a time; further blocks wait" default:"2" min:"1" max:"64"`
	Threads    int    `key:"threads" doc:"Threads that ffmpeg uses for each step of a video" default:"2" min:"1" max:"64"`
}

var config = &settings{}

// jobs holds a place for each video that may be made at a time, and probes one
// for each file that may be looked at: that takes a moment and should not wait
// for videos that take minutes.
var jobs, probes *semaphore.Weighted

const maxProbes = 8

var provider = &core.Provider{
	Name:     "video",
	Title:    "Video",
	Settings: config,
	Blocks:   []core.Block{mediaDuration, clip, concat, loop, addAudio, textOverlay, download},
	Start:    start,
}

func init() { core.Register(provider) }

func start(context.Context, *core.Env) error {
	jobs, probes = semaphore.NewWeighted(int64(config.Jobs)), semaphore.NewWeighted(maxProbes)
	return nil
}

// categories of all these blocks.
var categories = []core.Category{core.CategoryMultimedia}
