package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"agentserver/core"
	"agentserver/core/builder"
)

// blockList is the answer of GET /api/blocks, encoded once: the blocks do not
// change while the process runs.
type blockList struct {
	plain, zipped []byte
	etag          string
}

func newBlockList(blocks *builder.Service) (*blockList, error) {
	data, err := blocks.List()
	if err != nil {
		return nil, err
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("compressing blocks: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing blocks: %w", err)
	}
	sum := sha256.Sum256(data)
	return &blockList{plain: data, zipped: zipped.Bytes(), etag: `"` + hex.EncodeToString(sum[:16]) + `"`}, nil
}

// serve answers with the list, compressed when the client can read that, or
// says that the client has it already.
func (l *blockList) serve(c echo.Context) error {
	h := c.Response().Header()
	h.Set("ETag", l.etag)
	if strings.Contains(c.Request().Header.Get("If-None-Match"), l.etag) {
		h.Add("Vary", "Accept-Encoding")
		return c.NoContent(http.StatusNotModified)
	}
	body := l.plain
	if strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
		body = l.zipped
		// Added to the plain answer by the compressing middleware.
		h.Add("Vary", "Accept-Encoding")
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	return c.Blob(http.StatusOK, echo.MIMEApplicationJSON, body)
}

// blockRoutes adds /api/blocks.
func (a *API) blockRoutes() {
	tags := []string{"v1", "blocks"}
	list := a.describe(operation{
		id: "getV1List available blocks", method: http.MethodGet, path: "/api/blocks", summary: "List available blocks", tags: tags,
	})
	list.Responses["200"] = &huma.Response{
		Description: "Every block that can be used",
		Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
			Type: "array", Items: &huma.Schema{Type: "object", AdditionalProperties: true},
		}}},
	}
	a.huma.OpenAPI().AddOperation(&list)
	a.echo.GET("/api/blocks", a.blocks.serve, a.auth.RequireUser())

	type executeRequest struct {
		BlockID string `path:"block_id"`
		Body    core.Values
	}
	type outputAnswer struct{ Body map[string][]any }
	route(a, operation{
		id: "postV1Execute graph block", method: http.MethodPost, path: "/api/blocks/{block_id}/execute", summary: "Execute graph block", tags: tags,
	}, func(ctx context.Context, in *executeRequest) (*outputAnswer, error) {
		outputs, err := a.executeBlock(ctx, in.BlockID, in.Body)
		return &outputAnswer{outputs}, err
	})
}

// maxBlockTime bounds a block that is run outside of a graph.
const maxBlockTime = 5 * time.Minute

// executeBlock runs one block on its own.
func (a *API) executeBlock(ctx context.Context, id string, in core.Values) (map[string][]any, error) {
	block, known := a.platform.Registry.Block(id)
	if !known {
		if off := a.platform.Registry.BlockOff(id); off != "" {
			return nil, core.PlainErrorf(core.NotFound, "Block #%s not found: %s.", id, off)
		}
		return nil, core.PlainErrorf(core.NotFound, "Block #%s not found.", id)
	}
	if reason := a.platform.Registry.Disabled(block); reason != "" {
		return nil, core.PlainErrorf(core.Forbidden, "Block #%s is disabled.", id)
	}
	ctx, cancel := context.WithTimeout(ctx, maxBlockTime)
	defer cancel()
	outputs, err := a.platform.Executions.RunBlock(ctx, UserID(ctx), block, in)
	var failure *core.BlockError
	switch {
	case err == nil:
		return outputs, nil
	case errors.As(err, &failure) && failure.Handled:
		return nil, core.Errorf(core.Invalid, "%s", failure.Error())
	case errors.As(err, &failure):
		a.log.ErrorContext(ctx, "a block crashed", "block", failure.BlockName, "error", failure.Message, "stack", string(failure.Stack))
		return nil, core.Errorf(core.Internal, "%s", failure.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return nil, core.Errorf(core.Invalid, "The block did not end within %s", maxBlockTime)
	}
	return nil, err
}
