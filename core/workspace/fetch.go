package workspace

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"

	"agentserver/core"
)

// download is the answer to the request for a file.
type download struct {
	body       io.ReadCloser
	kind, name string
	fail       func(error) error // puts a failure of the body into words
	cancel     context.CancelFunc
}

func (d *download) close() {
	_ = d.body.Close()
	d.cancel()
}

// fetch begins to download a file. The caller closes what it gives.
func (f *Files) fetch(ctx context.Context, address string) (*download, error) {
	limited, cancel := context.WithTimeout(ctx, f.timeout)
	req, err := http.NewRequestWithContext(limited, http.MethodGet, address, nil)
	if err != nil || req.URL.Host == "" {
		cancel()
		// Its text repeats the URL, which may hold a key.
		return nil, core.WithCause(core.Invalid, err, "the file's URL cannot be read")
	}
	host := req.URL.Hostname()
	res, err := f.http.Do(req) //nolint:bodyclose // download.close does
	if err != nil {
		defer cancel()
		return nil, f.failure(ctx, limited, host, err)
	}
	final := req.URL
	if res.Request != nil && res.Request.URL != nil {
		final = res.Request.URL // after redirects
	}
	d := &download{
		body: res.Body, cancel: cancel, name: nameOf(res.Header.Get("Content-Disposition"), final.Path),
		fail: func(err error) error { return f.failure(ctx, limited, host, err) },
	}
	d.kind, _ = cleanType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode < 200 || res.StatusCode > 299:
		d.close()
		return nil, core.Errorf(statusKind(res.StatusCode), "the file cannot be downloaded: %s answered with status %d", host, res.StatusCode)
	case res.ContentLength > f.maxFile:
		d.close()
		return nil, tooLarge(f.maxFile)
	}
	return d, nil
}

// fetchAll downloads a file into memory.
func (f *Files) fetchAll(ctx context.Context, address string) (data []byte, kind, name string, err error) {
	d, err := f.fetch(ctx, address)
	if err != nil {
		return nil, "", "", err
	}
	defer d.close()
	data, err = io.ReadAll(io.LimitReader(d.body, f.maxFile+1))
	if int64(len(data)) > f.maxFile {
		return nil, "", "", tooLarge(f.maxFile)
	}
	if err != nil {
		return nil, "", "", d.fail(err)
	}
	return data, knownType(d.kind, d.name, data), d.name, nil
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
