package workspace

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"

	"agentserver/core"
)

// fetch downloads a file.
func (f *Files) fetch(ctx context.Context, address string) (data []byte, kind, name string, err error) {
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodGet, address, nil)
	if err != nil || req.URL.Host == "" {
		// Its text repeats the URL, which may hold a key.
		return nil, "", "", core.WithCause(core.Invalid, err, "the file's URL cannot be read")
	}
	host := req.URL.Hostname()
	res, err := f.http.Do(req)
	if err != nil {
		return nil, "", "", f.failure(ctx, limited, host, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, "", "", core.Errorf(statusKind(res.StatusCode), "the file cannot be downloaded: %s answered with status %d", host, res.StatusCode)
	}
	if res.ContentLength > MaxFile {
		return nil, "", "", tooLarge()
	}
	data, err = io.ReadAll(io.LimitReader(res.Body, MaxFile+1))
	if len(data) > MaxFile {
		return nil, "", "", tooLarge()
	}
	if err != nil {
		return nil, "", "", f.failure(ctx, limited, host, err)
	}
	final := req.URL
	if res.Request != nil && res.Request.URL != nil {
		final = res.Request.URL // after redirects
	}
	name = nameOf(res.Header.Get("Content-Disposition"), final.Path)
	kind, _ = cleanType(res.Header.Get("Content-Type"))
	if kind == "" || vague[kind] {
		kind = guessType(name, data)
	}
	return data, kind, name, nil
}

// failure gives an error in the words for users. The end of the run stays what
// it is.
func (f *Files) failure(run, limited context.Context, host string, err error) error {
	switch {
	case run.Err() != nil:
		return run.Err()
	case limited.Err() != nil:
		return core.WithCause(core.Unavailable, err, "the file cannot be downloaded: "+host+" did not answer in time")
	}
	// The guarded client's own words name no URL; those of others may.
	var known *core.Error
	if errors.As(err, &known) {
		return core.Errorf(known.Kind, "the file cannot be downloaded: %w", known)
	}
	return core.WithCause(core.Unavailable, err, "the file cannot be downloaded: the connection to "+host+" failed")
}

func statusKind(status int) core.Kind {
	switch {
	case status == http.StatusNotFound || status == http.StatusGone:
		return core.NotFound
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return core.Forbidden
	case status == http.StatusTooManyRequests:
		return core.TooMany
	case status >= http.StatusInternalServerError:
		return core.Unavailable
	}
	return core.Invalid
}

// dispositionName gives the file name of a Content-Disposition header, "" when
// it has none.
func dispositionName(header string) string {
	_, params, err := mime.ParseMediaType(header)
	if err != nil {
		return ""
	}
	return params["filename"]
}
