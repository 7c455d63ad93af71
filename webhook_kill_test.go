package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// testTriggerID is a block that deliveries start.
const testTriggerID = "7e57c0de-0000-4000-8000-000000000003"

// testHooks takes every JSON object; its id is in a header.
type testHooks struct{}

func (testHooks) Receive(_ core.Webhook, d core.Delivery) (e core.WebhookEvent, err error) {
	e.Type, e.DeliveryID = "plain", d.Header.Get("X-Delivery")
	if json.Unmarshal(d.Body, &e.Payload) != nil {
		return e, core.Errorf(core.Invalid, "no JSON object")
	}
	return e, nil
}

func testTrigger() core.Block {
	type input struct {
		Payload map[string]any `json:"payload" factory:"{}" hidden:"true" doc:"The event"`
	}
	type output struct {
		Payload core.Pin[any] `json:"payload"`
	}
	spec := core.BlockSpec{
		ID: testTriggerID, Name: "TestTriggerBlock", Description: "Is started by deliveries.",
		Webhook: &core.WebhookConfig{Provider: "test", Type: "plain", Manual: true},
	}
	return core.NewBlock(spec, func(_ context.Context, _ *core.Run, in *input, out *output) error {
		out.Payload.Emit(in.Payload)
		return nil
	})
}

// deliveryCount is how many deliveries the test sends: few, unless the
// environment asks for the whole.
func deliveryCount(t *testing.T) int {
	text := os.Getenv("TEST_DELIVERIES")
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// Deliveries arrive while the server is killed every second. Each is sent until it
// is answered 200, some twice: each has one run in the end.
func TestDeliveriesAndKills(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { deliveriesAndKills(t, t.TempDir(), "") })
	t.Run("postgres", func(t *testing.T) { deliveriesAndKills(t, t.TempDir(), dbtest.PostgresURL(t)) })
}

func deliveriesAndKills(t *testing.T, dir, databaseURL string) {
	address := freeAddress(t)
	env := []string{"AGENTSERVER_PUBLIC_URL=http://" + address, "AGENTSERVER_WEBHOOKS_RATE=100000", "AGENTSERVER_WORKER_HEARTBEAT_TIMEOUT=2s"}
	if databaseURL != "" {
		env = append(env, "AGENTSERVER_DATABASE_URL="+databaseURL)
	}
	p, a := serving(t, dir, address, env...)
	var graph struct{ ID string }
	a.call("POST", "/api/graphs", map[string]any{"graph": map[string]any{
		"name": "Triggered", "description": "two nodes",
		"nodes": []map[string]any{
			{"id": "in", "block_id": testTriggerID},
			{"id": "out", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": map[string]any{"name": "out"}},
		},
		"links": []map[string]any{{"source_id": "in", "source_name": "payload", "sink_id": "out", "sink_name": "value"}},
	}}, &graph)
	var preset struct{ Webhook struct{ URL string } }
	a.call("POST", "/api/library/presets/setup-trigger", map[string]any{
		"name": "t", "graph_id": graph.ID, "graph_version": 1, "trigger_config": map[string]any{},
	}, &preset)

	count := deliveryCount(t)
	var sent, kills atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		sendAll(t, preset.Webhook.URL, count, &sent)
	}()
	for working := true; working; {
		select {
		case <-done:
			working = false
		case <-time.After(time.Second):
			p.kill()
			kills.Add(1)
			p = start(t, dir, append(env, "AGENTSERVER_LISTEN="+address), "serve")
			a.awaitHealth(p)
		}
	}
	t.Logf("%d deliveries, %d requests, %d kills", count, sent.Load(), kills.Load())
	require.Positive(t, kills.Load(), "the server was not killed while deliveries arrived")
	o := db.Options{URL: databaseURL, DataDir: filepath.Join(dir, "data"), Guest: databaseURL == ""}
	d, err := db.Open(t.Context(), o)
	require.NoError(t, err)
	defer d.Close()
	require.Eventually(t, func() bool {
		var open int64
		require.NoError(t, d.Read.Raw("SELECT (SELECT count(*) FROM webhook_deliveries WHERE state = 'pending') + "+
			"(SELECT count(*) FROM graph_executions WHERE status NOT IN ('COMPLETED', 'FAILED', 'TERMINATED'))").Scan(&open).Error)
		return open == 0
	}, 3*time.Minute, 100*time.Millisecond, "not all runs end")
	var runs []struct{ Status, NodesInputMasks string }
	require.NoError(t, d.Read.Table("graph_executions").Find(&runs).Error)
	require.Len(t, runs, count)
	seen := map[int]bool{}
	for _, r := range runs {
		require.Equal(t, "COMPLETED", r.Status)
		var masks map[string]struct{ Payload struct{ N int } }
		require.NoError(t, json.Unmarshal([]byte(r.NodesInputMasks), &masks))
		for _, m := range masks {
			require.False(t, seen[m.Payload.N], "delivery %d has started two runs", m.Payload.N)
			seen[m.Payload.N] = true
		}
	}
	require.Len(t, seen, count)
	require.Zero(t, p.stop())
}

// sendAll sends deliveries, each until it is answered 200, and every tenth once
// more.
func sendAll(t *testing.T, url string, count int, sent *atomic.Int64) {
	work := make(chan int)
	var senders sync.WaitGroup
	for range 16 {
		senders.Go(func() {
			for n := range work {
				times := 1
				if n%10 == 0 {
					times = 2
				}
				for range times {
					for !send(t, url, n, sent) && !t.Failed() {
						time.Sleep(20 * time.Millisecond) // as a vendor would, only sooner
					}
				}
			}
		})
	}
	begin := time.Now()
	for n := range count {
		work <- n
		// Spread over some seconds, so that kills fall between.
		time.Sleep(time.Until(begin.Add(time.Duration(n) * 4 * time.Second / time.Duration(min(count, 2000)))))
	}
	close(work)
	senders.Wait()
}

// send sends a delivery and reports whether it was accepted.
func send(t *testing.T, url string, n int, sent *atomic.Int64) bool {
	sent.Add(1)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(fmt.Appendf(nil, `{"n":%d}`, n)))
	if !assert.NoError(t, err) {
		return false
	}
	req.Header.Set("X-Delivery", fmt.Sprint("d-", n))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false // killed
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode == http.StatusOK {
		return true
	}
	assert.Contains(t, []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}, res.StatusCode)
	assert.NotEmpty(t, res.Header.Get("Retry-After"))
	return false
}
