package telegram

import (
	"context"
	"net/http"
	"path"

	"agentserver/core"
)

type fileInput struct {
	access
	FileID string `json:"file_id" doc:"Id of the file, from a trigger; the file may have 20 MB at most"`
}

type fileOutput struct {
	File   core.Pin[string] `json:"file" format:"file" doc:"The file"`
	Status core.Pin[string] `json:"status" doc:"What was done"`
}

var getFile = core.NewBlock(core.BlockSpec{
	ID: "b600aaf2-6272-40c6-b973-c3984747c5bd", Name: "GetTelegramFileBlock",
	Description: "Downloads a file that somebody sent to the bot.",
	Categories:  social,
}, func(ctx context.Context, run *core.Run, in *fileInput, out *fileOutput) error {
	ref, err := in.fetch(ctx, run)
	if err != nil {
		return failed(ctx, "download file", err)
	}
	out.File.Emit(ref)
	out.Status.Emit("File downloaded")
	return nil
})

// fetch downloads the file and gives a reference to it.
func (in *fileInput) fetch(ctx context.Context, run *core.Run) (string, error) {
	bot, err := connect(run, in.Credentials)
	if err != nil {
		return "", err
	}
	result, err := bot.call(ctx, "getFile", core.NewObject("file_id", in.FileID))
	if err != nil {
		return "", err
	}
	file, _ := result.(map[string]any)
	filePath, _ := file["file_path"].(string)
	if filePath == "" {
		return "", core.Errorf(core.Unavailable, "No file_path returned from getFile")
	}
	data, err := bot.download(ctx, filePath)
	if err != nil {
		return "", err
	}
	// Telegram's server calls every file an octet-stream.
	mime := core.FileType(filePath)
	if mime == "" {
		mime = http.DetectContentType(data)
	}
	return run.Files.Put(ctx, run, data, mime, path.Base(filePath))
}
