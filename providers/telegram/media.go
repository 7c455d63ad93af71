package telegram

import (
	"context"

	"agentserver/core"
)

// captioned adds a text to a file.
type captioned struct {
	Caption string `json:"caption" default:"" advanced:"true" doc:"Text below it, up to 1024 characters"`
}

// lasting says how long a recording is.
type lasting struct {
	Duration *int `json:"duration" advanced:"true" doc:"Length in seconds"`
}

type photoInput struct {
	access
	chat
	Photo string `json:"photo" format:"file" doc:"Picture to send: an upload may have 10 MB, one that Telegram gets by its URL 5 MB"`
	captioned
	formatted
	replying
}

var sendPhoto = core.NewBlock(core.BlockSpec{
	ID: "ceb9fd95-fd95-49ff-b57b-278957255716", Name: "SendTelegramPhotoBlock",
	Description: "Sends a picture to a Telegram chat.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *photoInput, out *sentOutput) error {
	p := core.NewObject("chat_id", in.ChatID)
	setText(p, "caption", in.Caption)
	in.setParseMode(p)
	in.setReply(p)
	return failed(ctx, "send photo", out.deliverMedia(ctx, run, in.Credentials, p, media{
		method: "sendPhoto", member: "photo", ref: in.Photo, mime: "image/jpeg", status: "Photo sent",
	}))
})

type voiceInput struct {
	access
	chat
	Voice string `json:"voice" format:"file" doc:"Recording to send, in OGG with OPUS, MP3 or M4A"`
	captioned
	lasting
	replying
}

var sendVoice = core.NewBlock(core.BlockSpec{
	ID: "7a0ef660-1a5b-4951-8642-c13a0c8d6d93", Name: "SendTelegramVoiceBlock",
	Description: "Sends a voice message to a Telegram chat.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *voiceInput, out *sentOutput) error {
	p := core.NewObject("chat_id", in.ChatID)
	setText(p, "caption", in.Caption)
	setNumber(p, "duration", in.Duration)
	in.setReply(p)
	return failed(ctx, "send voice", out.deliverMedia(ctx, run, in.Credentials, p, media{
		method: "sendVoice", member: "voice", ref: in.Voice, mime: "audio/ogg", status: "Voice sent",
	}))
})

type audioInput struct {
	access
	chat
	Audio string `json:"audio" format:"file" doc:"Piece of music to send, in MP3 or M4A"`
	captioned
	Title     string `json:"title" default:"" advanced:"true" doc:"Name of the piece"`
	Performer string `json:"performer" default:"" advanced:"true" doc:"Who plays it"`
	lasting
	replying
}

var sendAudio = core.NewBlock(core.BlockSpec{
	ID: "9044829a-7915-4ab4-a50f-89922ba3679f", Name: "SendTelegramAudioBlock",
	Description: "Sends a piece of music to a Telegram chat.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *audioInput, out *sentOutput) error {
	p := core.NewObject("chat_id", in.ChatID)
	setText(p, "caption", in.Caption)
	setText(p, "title", in.Title)
	setText(p, "performer", in.Performer)
	setNumber(p, "duration", in.Duration)
	in.setReply(p)
	return failed(ctx, "send audio", out.deliverMedia(ctx, run, in.Credentials, p, media{
		method: "sendAudio", member: "audio", ref: in.Audio, mime: "audio/mpeg", status: "Audio sent",
	}))
})

type documentInput struct {
	access
	chat
	Document string `json:"document" format:"file" doc:"File to send; by its URL Telegram gets only .pdf, .zip and .gif"`
	FileName string `json:"filename" default:"" advanced:"true" doc:"Name that the file gets; a file that Telegram gets by its URL keeps its own"`
	captioned
	formatted
	replying
}

var sendDocument = core.NewBlock(core.BlockSpec{
	ID: "554f4bad-4c99-48ba-9d1c-75840b71c5ad", Name: "SendTelegramDocumentBlock",
	Description: "Sends a file to a Telegram chat.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *documentInput, out *sentOutput) error {
	p := core.NewObject("chat_id", in.ChatID)
	setText(p, "caption", in.Caption)
	in.setParseMode(p)
	in.setReply(p)
	return failed(ctx, "send document", out.deliverMedia(ctx, run, in.Credentials, p, media{
		method: "sendDocument", member: "document", ref: in.Document, name: in.FileName,
		mime: "application/octet-stream", status: "Document sent",
	}))
})

type videoInput struct {
	access
	chat
	Video string `json:"video" format:"file" doc:"Video to send, in MP4"`
	captioned
	formatted
	lasting
	replying
}

var sendVideo = core.NewBlock(core.BlockSpec{
	ID: "cda075af-3f31-47b0-baa9-0050b3bd78bd", Name: "SendTelegramVideoBlock",
	Description: "Sends a video to a Telegram chat.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *videoInput, out *sentOutput) error {
	p := core.NewObject("chat_id", in.ChatID)
	setText(p, "caption", in.Caption)
	in.setParseMode(p)
	setNumber(p, "duration", in.Duration)
	in.setReply(p)
	return failed(ctx, "send video", out.deliverMedia(ctx, run, in.Credentials, p, media{
		method: "sendVideo", member: "video", ref: in.Video, mime: "video/mp4", status: "Video sent",
	}))
})
