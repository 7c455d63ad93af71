package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

const (
	deliveriesPerSecond = 1000
	deliverySeconds     = 30
)

// BenchmarkDeliveries sends deliveries at a fixed rate, whatever the answers, to a
// server on Postgres with a second worker beside it (and Redis when
// TEST_REDIS_URL is set). It reports the times of the answers and how long
// after the last one all runs had ended, and fails when one is lost.
func BenchmarkDeliveries(b *testing.B) {
	url := dbtest.PostgresURL(b)
	path, dir := binary(b), b.TempDir()
	address := freePort(b)
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AGENTSERVER_DATABASE_URL=" + url, "AGENTSERVER_REDIS_URL=" + os.Getenv("TEST_REDIS_URL"),
		"AGENTSERVER_PUBLIC_URL=http://" + address, "AGENTSERVER_LISTEN=" + address, "AGENTSERVER_WEBHOOKS_RATE=10000", "AGENTSERVER_LOG_LEVEL=warn",
		"AGENTSERVER_WORKER_MAX_RUNS_PER_USER_GRAPH=500",
	}
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(path, args...)
		cmd.Dir, cmd.Env, cmd.Stderr = dir, env, os.Stderr
		return cmd
	}
	for _, args := range [][]string{{"serve"}, {"worker"}} {
		cmd := run(args...)
		require.NoError(b, cmd.Start())
		defer end(b, cmd)
		if args[0] == "serve" {
			require.Eventually(b, func() bool { return healthy(address) }, time.Minute, 20*time.Millisecond)
		}
	}
	token, err := run("token", "--email", "bench@example.com").Output()
	require.NoError(b, err)
	hook := setUpHook(b, address, strings.TrimSpace(string(token)))
	d, err := db.Open(b.Context(), db.Options{URL: url})
	require.NoError(b, err)
	defer d.Close()
	b.ResetTimer()
	for n := range b.N {
		times := deliverAtRate(b, hook, n)
		ended := time.Now()
		want := int64((n + 1) * deliveriesPerSecond * deliverySeconds)
		require.Eventually(b, func() bool {
			var completed int64
			require.NoError(b, d.Read.Raw("SELECT count(*) FROM graph_executions WHERE status = 'COMPLETED'").Scan(&completed).Error)
			return completed == want
		}, 10*time.Minute, 200*time.Millisecond, "a delivery is lost")
		b.ReportMetric(time.Since(ended).Seconds(), "s-behind")
		slices.Sort(times)
		for _, p := range []int{50, 99} {
			b.ReportMetric(float64(times[len(times)*p/100].Microseconds())/1000, fmt.Sprintf("ms-p%d", p))
		}
		b.ReportMetric(float64(times[len(times)-1].Microseconds())/1000, "ms-max")
	}
}

func healthy(address string) bool {
	res, err := http.Get("http://" + address + "/health")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// setUpHook makes an agent of a trigger and an output, and gives the address of
// its webhook.
func setUpHook(b *testing.B, address, token string) string {
	b.Helper()
	post := func(path string, body, out any) {
		data, err := json.Marshal(body)
		require.NoError(b, err)
		req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://"+address+path, bytes.NewReader(data))
		require.NoError(b, err)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		require.NoError(b, err)
		defer res.Body.Close()
		data, err = io.ReadAll(res.Body)
		require.NoError(b, err)
		require.Equal(b, 200, res.StatusCode, "%s", data)
		require.NoError(b, json.Unmarshal(data, out))
	}
	var graph struct{ ID string }
	post("/api/graphs", map[string]any{"graph": map[string]any{
		"name": "Triggered", "description": "two nodes",
		"nodes": []map[string]any{
			{"id": "in", "block_id": "8fa8c167-2002-47ce-aba8-97572fc5d387"},
			{"id": "out", "block_id": "363ae599-353e-4804-937e-b2ee3cef3da4", "input_default": map[string]any{"name": "out"}},
		},
		"links": []map[string]any{{"source_id": "in", "source_name": "payload", "sink_id": "out", "sink_name": "value"}},
	}}, &graph)
	var preset struct{ Webhook struct{ URL string } }
	post("/api/library/presets/setup-trigger", map[string]any{
		"name": "t", "graph_id": graph.ID, "graph_version": 1, "trigger_config": map[string]any{},
	}, &preset)
	return preset.Webhook.URL
}

// deliverAtRate sends deliveries, each at its moment, and gives the times of the
// answers, which must all be 200.
func deliverAtRate(b *testing.B, url string, round int) []time.Duration {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}, Timeout: time.Minute}
	times := make([]time.Duration, deliveriesPerSecond*deliverySeconds)
	var wg sync.WaitGroup
	begin := time.Now()
	for n := range times {
		time.Sleep(time.Until(begin.Add(time.Duration(n) * time.Second / deliveriesPerSecond)))
		wg.Go(func() {
			sent := time.Now()
			body := fmt.Appendf(nil, `{"round":%d,"n":%d,"text":%q}`, round, n, strings.Repeat("x", 500))
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Idempotency-Key", fmt.Sprintf("%d-%d", round, n))
			res, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				b.Errorf("answered %d", res.StatusCode)
			}
			times[n] = time.Since(sent)
		})
	}
	wg.Wait()
	require.False(b, b.Failed(), "not all deliveries were accepted")
	return times
}
