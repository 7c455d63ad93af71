package core

import (
	"path"
	"strings"
)

// fileTypes are the media types of common kinds of files by extension, the
// usual extension of a type first. It is a list of our own because those of
// operating systems differ.
var fileTypes = [][2]string{
	{".txt", "text/plain"},
	{".log", "text/plain"},
	{".md", "text/markdown"},
	{".csv", "text/csv"},
	{".html", "text/html"},
	{".htm", "text/html"},
	{".css", "text/css"},
	{".ics", "text/calendar"},
	{".js", "text/javascript"},
	{".mjs", "text/javascript"},
	{".json", "application/json"},
	{".xml", "application/xml"},
	{".yaml", "application/yaml"},
	{".yml", "application/yaml"},
	{".jpg", "image/jpeg"},
	{".jpeg", "image/jpeg"},
	{".png", "image/png"},
	{".gif", "image/gif"},
	{".webp", "image/webp"},
	{".svg", "image/svg+xml"},
	{".bmp", "image/bmp"},
	{".ico", "image/x-icon"},
	{".tiff", "image/tiff"},
	{".tif", "image/tiff"},
	{".heic", "image/heic"},
	{".avif", "image/avif"},
	{".mp3", "audio/mpeg"},
	{".ogg", "audio/ogg"},
	{".oga", "audio/ogg"},
	{".opus", "audio/ogg"},
	{".m4a", "audio/mp4"},
	{".wav", "audio/wav"},
	{".wav", "audio/wave"},
	{".wav", "audio/x-wav"},
	{".flac", "audio/flac"},
	{".aac", "audio/aac"},
	{".mp4", "video/mp4"},
	{".m4v", "video/mp4"},
	{".webm", "video/webm"},
	{".mov", "video/quicktime"},
	{".mkv", "video/x-matroska"},
	{".avi", "video/x-msvideo"},
	{".avi", "video/avi"},
	{".mpeg", "video/mpeg"},
	{".pdf", "application/pdf"},
	{".rtf", "application/rtf"},
	{".epub", "application/epub+zip"},
	{".doc", "application/msword"},
	{".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	{".xls", "application/vnd.ms-excel"},
	{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{".ppt", "application/vnd.ms-powerpoint"},
	{".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	{".zip", "application/zip"},
	{".gz", "application/gzip"},
	{".gz", "application/x-gzip"},
	{".tar", "application/x-tar"},
	{".7z", "application/x-7z-compressed"},
	{".tgs", "application/x-tgsticker"},
}

var typesByExtension, extensionsByType = indexFileTypes()

func indexFileTypes() (types, extensions map[string]string) {
	types, extensions = map[string]string{}, map[string]string{}
	for _, t := range fileTypes {
		if types[t[0]] == "" {
			types[t[0]] = t[1]
		}
		if extensions[t[1]] == "" {
			extensions[t[1]] = t[0]
		}
	}
	return types, extensions
}

// FileType gives the media type of a file by its name, "" when the name does not
// tell.
func FileType(name string) string {
	return typesByExtension[strings.ToLower(path.Ext(name))]
}

// FileExtension gives the usual extension of a media type with its dot, "" when
// there is none. Parameters of the type do not count.
func FileExtension(mime string) string {
	mime, _, _ = strings.Cut(mime, ";")
	return extensionsByType[strings.ToLower(strings.TrimSpace(mime))]
}
