package server_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// upload sends a file to the workspace, or to the path that is given.
func (b *bed) upload(who, name, content string, path ...string) answer {
	b.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	require.NoError(b.t, w.WriteField("other", "field"))
	part, err := w.CreateFormFile("file", name)
	require.NoError(b.t, err)
	_, err = io.WriteString(part, content)
	require.NoError(b.t, err)
	require.NoError(b.t, w.Close())
	target := "/api/workspace/files/upload"
	if len(path) > 0 {
		target = path[0]
	}
	return b.call(who, "POST", target, form.Bytes(), "Content-Type", w.FormDataContentType())
}

// has checks the status alone.
func (a answer) has(status int) {
	a.t.Helper()
	require.Equal(a.t, status, a.status, a.body)
}

func TestWorkspaceFiles(t *testing.T) {
	engines(t, func(b *bed) {
		file := b.upload(alice, "../../etc/r\u00e9sum\u00e9 1.txt", "hello").json().(map[string]any)
		id := file["file_id"].(string)
		require.Equal(b.t, map[string]any{
			"file_id": id, "name": "r\u00e9sum\u00e9 1.txt", "path": "/r\u00e9sum\u00e9 1.txt", "mime_type": "text/plain", "size_bytes": 5.0,
		}, file)
		path := "/api/workspace/files/" + id
		got := b.call(alice, "GET", path+"/download", nil)
		require.Equal(b.t, "hello", got.body)
		require.Equal(b.t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
		require.Equal(b.t, "5", got.header.Get("Content-Length"))
		require.Equal(b.t, "attachment; filename*=UTF-8''r%C3%A9sum%C3%A9%201.txt", got.header.Get("Content-Disposition"))
		require.Equal(b.t, "nosniff", got.header.Get("X-Content-Type-Options"))
		require.Contains(b.t, got.header.Get("Content-Security-Policy"), "sandbox")
		b.call(bob, "GET", path+"/download", nil).is(404, detail("File not found"))

		b.upload(alice, "r\u00e9sum\u00e9 1.txt", "again").is(409, detail("File already exists at path: /r\u00e9sum\u00e9 1.txt"))
		b.upload(alice, "r\u00e9sum\u00e9 1.txt", "again!", "/api/workspace/files/upload?session_id=s-1").has(200)
		again := b.upload(alice, "r\u00e9sum\u00e9 1.txt", "again!!", "/api/workspace/files/upload?overwrite=true&session_id=null").json().(map[string]any)
		b.call(alice, "GET", path+"/download", nil).is(404, detail("File not found"))
		require.Equal(b.t, map[string]any{"used_bytes": 13.0, "limit_bytes": 524288000.0, "used_percent": 0.0, "file_count": 2.0},
			b.object(alice, "GET", "/api/workspace/storage/usage", nil))

		path = "/api/workspace/files/" + again["file_id"].(string)
		b.call(bob, "DELETE", path, nil).is(404, detail("File not found"))
		b.call(alice, "DELETE", path, nil).is(200, `{"deleted":true}`)
		b.call(alice, "DELETE", path, nil).is(404, detail("File not found"))
		require.Equal(b.t, "upload", b.upload(alice, "..", "").json().(map[string]any)["name"], "a file without a name, and without content")

		for query, where := range map[string]string{"session_id=../x": "session_id", "overwrite=perhaps": "overwrite"} {
			a := b.upload(alice, "a", "x", "/api/workspace/files/upload?"+query)
			a.has(422)
			require.Contains(b.t, a.body, where)
		}
		b.call(alice, "POST", "/api/workspace/files/upload", []byte("x"), "Content-Type", "text/plain").has(422)
		b.call(alice, "POST", "/api/workspace/files/upload", []byte("--b\r\n\r\n"), "Content-Type", "multipart/form-data; boundary=b").has(422)
		cut := b.call(alice, "POST", "/api/workspace/files/upload",
			[]byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf"), "Content-Type", "multipart/form-data; boundary=b")
		cut.has(422)
		require.Contains(b.t, cut.body, "the form ends in the middle")
	})
}

func TestUploadLimits(t *testing.T) {
	b := newBedOf(t, "", bedOptions{settings: map[string]string{
		"files.max_file": "1048576", "files.max_storage": "1572864", "files.max_upload": "2097152", "files.inline": "100",
	}})
	megabyte := strings.Repeat("x", 1<<20)
	b.upload(alice, "a", megabyte+"x").is(413, detail("File exceeds maximum size of 1 MB"))
	b.upload(alice, "a", megabyte).has(200)
	full := b.upload(alice, "b", megabyte)
	require.Equal(t, 413, full.status)
	require.Equal(t, map[string]any{"detail": map[string]any{
		"message": "Storage limit exceeded", "used_bytes": 1048576.0, "limit_bytes": 1572864.0, "used_percent": 66.7,
	}}, full.json())
	tooLarge := b.upload(alice, "a", megabyte+megabyte+"x", "/api/files/upload")
	require.Equal(t, 400, tooLarge.status)
	require.Regexp(t, `File size \(\d+ bytes\) exceeds the maximum allowed size of 2MB`, tooLarge.body)
}

func TestFilesForRuns(t *testing.T) {
	b := newBedOf(t, "", bedOptions{settings: map[string]string{"files.inline": "100"}})
	for _, hours := range []string{"0", "49", "-1"} {
		b.upload(alice, "a", "x", "/api/files/upload?expiration_hours="+hours).is(400, detail("Expiration hours must be between 1 and 48"))
	}
	b.upload(alice, "a", "x", "/api/files/upload?expiration_hours=soon").has(422)
	require.Equal(t, map[string]any{
		"file_uri": "data:application/octet-stream;base64,dGVzdCBmaWxlIGNvbnRlbnQ=", "file_name": "a.txt", "size": 17.0,
		"content_type": "application/octet-stream", "expires_in_hours": 24.0,
	}, b.upload(alice, "a.txt", "test file content", "/api/files/upload").json().(map[string]any))

	// A larger one is kept, and a run can take it.
	const fileInput = "95ead23f-8283-4654-aef3-10c053b74a31"
	long := strings.Repeat("0123456789", 50)
	kept := b.upload(alice, "b.bin", long, "/api/files/upload?expiration_hours=2").json().(map[string]any)
	ref := kept["file_uri"].(string)
	require.Regexp(t, `^workspace://[0-9a-f-]{36}#application/octet-stream$`, ref)
	require.Equal(t, 2.0, kept["expires_in_hours"])
	outputs := b.object(alice, "POST", "/api/blocks/"+fileInput+"/execute", map[string]any{"name": "f", "value": ref})
	require.Equal(t, ref, outputs["result"].([]any)[0])
	outputs = b.object(alice, "POST", "/api/blocks/"+fileInput+"/execute", map[string]any{"name": "f", "value": ref, "base_64": true})
	require.Contains(t, outputs["result"].([]any)[0], "data:application/octet-stream;base64,MDEyMzQ1Njc4OTAx")
	b.call(bob, "POST", "/api/blocks/"+fileInput+"/execute", map[string]any{"name": "f", "value": ref}).has(400)

	graph := b.save(alice, agent("files", node("in", fileInput, "name", "in"), node("out", outputID, "name", "out"), link("in.result", "out.value")))["id"].(string)
	run := b.run(alice, graph, map[string]any{"in": "data:text/plain;base64,aGVsbG8="})
	out := run["outputs"].(map[string]any)["out"].([]any)[0].(string)
	require.Regexp(t, `^workspace://[0-9a-f-]{36}#text/plain$`, out)
	id := strings.TrimSuffix(strings.TrimPrefix(out, "workspace://"), "#text/plain")
	require.Equal(t, "hello", b.call(alice, "GET", "/api/workspace/files/"+id+"/download", nil).body)
}

// An upload is not held in memory, and a slow one holds nothing but its file.
func TestUploadIsRefusedWithoutToken(t *testing.T) {
	b := newBed(t, "")
	req, err := http.NewRequest("POST", b.url+"/api/workspace/files/upload", io.LimitReader(zeros{}, 50<<20))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	res, err := http.DefaultClient.Do(req)
	if err == nil { // or the connection is closed before the body was sent
		require.Equal(t, 401, res.StatusCode, fmt.Sprint(res.Header))
		require.NoError(t, res.Body.Close())
	}
}

// zeros is a stream without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
