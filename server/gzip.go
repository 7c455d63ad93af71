package server

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// gzipMin is the length in bytes from which an answer is worth compressing.
const gzipMin = 50_000

// gzipLevel gives most of what the highest level gives at a third of the cost.
const gzipLevel = 5

var gzipWriters = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzipLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// Gzip compresses answers of 50,000 bytes and more, and streams, when the client
// can read that. Event streams and what is encoded already stay as they are.
func Gzip() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.Header.Get("Upgrade") != "" || r.Method == http.MethodHead {
				return next(c)
			}
			response := c.Response()
			outer := response.Writer
			w := &gzipResponse{
				ResponseWriter: outer,
				accepted:       strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"),
			}
			response.Writer = w
			defer func() { response.Writer = outer }()
			err := next(c)
			// Not deferred: an answer that a panic aborts must not look whole.
			w.finish()
			return err
		}
	}
}

// gzipResponse holds an answer back until it is known how long it is: until it
// ends, is flushed, or reaches gzipMin.
type gzipResponse struct {
	http.ResponseWriter
	accepted bool // the client can read gzip

	status  int // set once the handler wrote its header
	decided bool
	held    []byte
	zip     *gzip.Writer // set once it is decided to compress
}

func (w *gzipResponse) WriteHeader(status int) {
	if w.decided || w.status != 0 {
		return
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status) // informational: the answer is still to come
		return
	}
	w.status = status
	h := w.Header()
	length, err := strconv.Atoi(h.Get("Content-Length"))
	if status < 200 || status == http.StatusNoContent || status == http.StatusNotModified ||
		h.Get("Content-Encoding") != "" || strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") ||
		err == nil && length < gzipMin {
		w.decide(false, nil)
	}
}

func (w *gzipResponse) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.decided {
		if len(w.held)+len(p) < gzipMin {
			w.held = append(w.held, p...)
			return len(p), nil
		}
		w.decide(true, p)
		if err := w.release(); err != nil {
			return 0, err
		}
	}
	return w.write(p)
}

// Flush sends what is there. Before gzipMin it means that the answer is a
// stream, which is compressed whatever its length.
func (w *gzipResponse) Flush() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if !w.decided {
		w.decide(true, nil)
		if w.release() != nil {
			return // the client is gone, which the next write tells
		}
	}
	if w.zip != nil && w.zip.Flush() != nil {
		return
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *gzipResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// decide writes the header. long says whether the answer is worth compressing;
// next is what follows the part that was held back.
func (w *gzipResponse) decide(long bool, next []byte) {
	w.decided = true
	if long {
		h := w.Header()
		h.Add("Vary", "Accept-Encoding")
		if w.accepted {
			if h.Get("Content-Type") == "" {
				// Here, because compressed bytes would not tell.
				start := w.held
				if len(start) == 0 {
					start = next
				}
				h.Set("Content-Type", http.DetectContentType(start))
			}
			h.Set("Content-Encoding", "gzip")
			h.Del("Content-Length")
			w.zip = gzipWriters.Get().(*gzip.Writer)
			w.zip.Reset(w.ResponseWriter)
		}
	}
	w.ResponseWriter.WriteHeader(w.status)
}

// release sends what was held back.
func (w *gzipResponse) release() error {
	held := w.held
	w.held = nil
	if len(held) == 0 {
		return nil
	}
	_, err := w.write(held)
	return err
}

func (w *gzipResponse) write(p []byte) (int, error) {
	if w.zip != nil {
		return w.zip.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// finish ends the answer. Errors mean that the client is gone.
func (w *gzipResponse) finish() {
	if w.status == 0 {
		return // nothing was written; net/http answers
	}
	if !w.decided {
		if w.Header().Get("Content-Length") == "" {
			w.Header().Set("Content-Length", strconv.Itoa(len(w.held)))
		}
		w.decide(false, nil)
		_ = w.release()
	}
	if w.zip != nil {
		_ = w.zip.Close()
		gzipWriters.Put(w.zip)
		w.zip = nil
	}
}
