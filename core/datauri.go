package core

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// DataURI gives content as a data URI (RFC 2397), in base64.
func DataURI(data []byte, mime string) string {
	return "data:" + mime + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// IsDataURI reports whether a reference is a data URI.
func IsDataURI(ref string) bool {
	return len(ref) >= 5 && strings.EqualFold(ref[:5], "data:")
}

// ParseDataURI gives the content and the media type of a data URI. The media
// type is that of the RFC when the URI has none. Base64 may lack its padding,
// be of the URL alphabet, be escaped and hold white space, as it often does
// when it was copied. Errors are of kind Invalid.
func ParseDataURI(uri string) (data []byte, mime string, err error) {
	if !IsDataURI(uri) {
		return nil, "", Errorf(Invalid, "a data URI starts with data:")
	}
	head, body, ok := strings.Cut(uri[5:], ",")
	if !ok {
		return nil, "", Errorf(Invalid, "the data URI has no content: a comma is missing")
	}
	mime, encoded := cutBase64(head)
	switch {
	case mime == "":
		mime = "text/plain;charset=US-ASCII"
	case mime[0] == ';':
		mime = "text/plain" + mime
	}
	if !encoded || strings.Contains(body, "%") {
		text, err := url.PathUnescape(body)
		if err != nil && encoded {
			return nil, "", Errorf(Invalid, "the data URI's content is not valid base64: %w", err)
		}
		if err != nil {
			return nil, "", Errorf(Invalid, "the data URI's content is not valid: %w", err)
		}
		body = text
	}
	if !encoded {
		return []byte(body), mime, nil
	}
	if data, err = base64.StdEncoding.DecodeString(body); err == nil {
		return data, mime, nil
	}
	data, err = base64.RawStdEncoding.DecodeString(standardBase64(body))
	if err != nil {
		return nil, "", Errorf(Invalid, "the data URI's content is not valid base64: %w", err)
	}
	return data, mime, nil
}

// cutBase64 takes the marker of base64 off the head of a data URI.
func cutBase64(head string) (mime string, encoded bool) {
	head = strings.TrimSpace(head)
	i := strings.LastIndex(head, ";")
	if i < 0 || !strings.EqualFold(strings.TrimSpace(head[i+1:]), "base64") {
		return head, false
	}
	return strings.TrimSpace(head[:i]), true
}

// standardBase64 brings base64 to the standard alphabet, without padding and
// white space.
func standardBase64(text string) string {
	text = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\n', '\r':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, text)
	return strings.TrimRight(text, "=")
}
