package video

import (
	"context"

	"agentserver/core"
)

type overlayInput struct {
	Video     string   `json:"video_in" format:"file" doc:"Video to write on"`
	Text      string   `json:"text" doc:"Text to show"`
	Position  string   `json:"position" enum:"top,center,bottom,top-left,top-right,bottom-left,bottom-right" default:"bottom" doc:"Where the text stands"`
	Start     *float64 `json:"start_time" doc:"When the text appears, in seconds; at once unless given"`
	End       *float64 `json:"end_time" doc:"When the text goes, in seconds; at the end unless given"`
	FontSize  int      `json:"font_size" min:"12" max:"200" default:"48" doc:"Size of the letters"`
	FontColor string   `json:"font_color" default:"white" doc:"Colour of the letters"`
	BgColor   *string  `json:"bg_color" doc:"Colour behind the letters; none unless given"`
}

type overlayOutput struct {
	Video core.Pin[string] `json:"video_out" format:"file" doc:"The video with the text"`
}

// textOverlay is known, so that agents that hold it can be opened.
var textOverlay = core.NewBlock(core.BlockSpec{
	ID: "8ef14de6-cc90-430a-8cfa-3a003be92454", Name: "VideoTextOverlayBlock",
	Description: "Writes text on a video.",
	Categories:  categories,
	Disabled:    "text on videos is not offered",
}, func(context.Context, *core.Run, *overlayInput, *overlayOutput) error {
	return core.Errorf(core.Unavailable, "text on videos is not offered")
})

type downloadInput struct {
	URL     string `json:"url" placeholder:"https://www.youtube.com/watch?v=..." doc:"Page of the video"`
	Quality string `json:"quality" enum:"best,1080p,720p,480p,audio_only" default:"720p" doc:"Most lines of the video, or its sound only"`
	Format  string `json:"output_format" enum:"mp4,webm,mkv" default:"mp4" doc:"Format of the file"`
}

type downloadOutput struct {
	Video    core.Pin[string]  `json:"video_file" format:"file" doc:"The video"`
	Duration core.Pin[float64] `json:"duration" doc:"Its length in seconds"`
	Title    core.Pin[string]  `json:"title" doc:"Its title"`
	Source   core.Pin[string]  `json:"source_url" doc:"The page it is from"`
}

// download is known, so that agents that hold it can be opened. What it would
// need runs code of the pages, and reaches addresses that nobody has checked.
var download = core.NewBlock(core.BlockSpec{
	ID: "c35daabb-cd60-493b-b9ad-51f1fe4b50c4", Name: "VideoDownloadBlock",
	Description: "Downloads a video from a video site.",
	Categories:  categories,
	Disabled:    "downloads from video sites are not offered",
}, func(context.Context, *core.Run, *downloadInput, *downloadOutput) error {
	return core.Errorf(core.Unavailable, "downloads from video sites are not offered")
})
