package telegram

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/textproto"
	"strings"

	"agentserver/core"
)

// media is a file on its way to Telegram.
type media struct {
	// method and member are Telegram's, such as sendPhoto and photo.
	method, member string
	// ref is the file: the URL of one that Telegram gets itself, or a reference to
	// one that is uploaded.
	ref string
	// name replaces that of the uploaded file, unless it is "".
	name string
	// mime is the media type of a file that does not tell its own.
	mime string
	// status is what the block says in the end.
	status string
}

// deliverMedia sends a file and reports its message.
func (o sentOutput) deliverMedia(ctx context.Context, run *core.Run, c core.APIKey, p *core.Object, m media) error {
	if isURL(m.ref) {
		p.Set(m.member, m.ref)
		return o.deliver(ctx, run, c, m.method, p, m.status)
	}
	bot, err := connect(run, c)
	if err != nil {
		return err
	}
	data, mime, name, err := run.Files.Open(ctx, run, m.ref)
	if err != nil {
		return err
	}
	contentType, body, err := m.form(p, data, mime, name)
	if err != nil {
		return err
	}
	result, err := bot.result(ctx, bot.methodRequest(m.method, contentType, body, fileTimeout))
	if err != nil {
		return err
	}
	return o.emit(result, m.status)
}

func isURL(ref string) bool {
	scheme, _, found := strings.Cut(ref, "://")
	return found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// form makes the body of an upload: the members as text, then the file.
func (m media) form(p *core.Object, data []byte, mime, name string) (contentType string, body []byte, err error) {
	name, mime = m.label(name, mime)
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, key := range p.Keys() {
		value, _ := p.Get(key)
		if err := w.WriteField(key, core.Text(value)); err != nil {
			return "", nil, err
		}
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition(m.member, name)},
		"Content-Type":        {mime},
	})
	if err != nil {
		return "", nil, err
	}
	if _, err := part.Write(data); err != nil {
		return "", nil, err
	}
	if err := w.Close(); err != nil {
		return "", nil, err
	}
	return w.FormDataContentType(), b.Bytes(), nil
}

// unlabelled is the media type of a file of which nothing is known.
const unlabelled = "application/octet-stream"

// label gives the name and the media type under which a file is uploaded.
func (m media) label(name, mime string) (string, string) {
	if m.name != "" {
		name = m.name
	}
	if mime == "" || mime == unlabelled {
		mime = core.FileType(name)
	}
	// A line break would end the header.
	if mime == "" || strings.ContainsAny(mime, "\r\n") {
		mime = m.mime
	}
	if name == "" {
		name = m.member + core.FileExtension(mime)
	}
	return name, mime
}
