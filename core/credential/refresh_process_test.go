package credential_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/bus"
	"agentserver/core/credential"
	"agentserver/core/credential/oauthtest"
	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/rest"
)

// The variables tell the test binary, started again, to be one of the processes
// that ask for a token.
const (
	workerDatabase = "TEST_TOKEN_DATABASE"
	workerRedis    = "TEST_TOKEN_REDIS"
	workerVendor   = "TEST_TOKEN_VENDOR"
	workerID       = "TEST_TOKEN_ID"
	workerCallers  = "TEST_TOKEN_CALLERS"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerDatabase) != "" {
		if err := askForTokens(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// workerKey is the key of the processes.
var workerKey = credential.Key{Name: "a", Key: core.Secret(strings.Repeat("k", 32))}

// askForTokens says that it is ready, waits for a line, asks for the token with
// many callers at once, and says what each got.
func askForTokens() error {
	ctx := context.Background()
	s, _, closeAll, err := openWorker(ctx, os.Getenv(workerDatabase), os.Getenv(workerRedis), os.Getenv(workerVendor))
	if err != nil {
		return err
	}
	defer closeAll()
	callers := 0
	if _, err := fmt.Sscan(os.Getenv(workerCallers), &callers); err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range callers {
		wg.Go(func() {
			c, err := s.Get(ctx, ada, os.Getenv(workerID))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				fmt.Println("error", err)
				return
			}
			fmt.Println("token", c.(core.OAuth2).AccessToken.Reveal())
		})
	}
	wg.Wait()
	return nil
}

// openWorker opens a service as one of many processes does.
func openWorker(ctx context.Context, database, redis, vendor string) (*credential.Service, bus.Bus, func(), error) {
	quiet := slog.New(slog.DiscardHandler)
	d, err := db.Open(ctx, db.Options{URL: database, MaxConns: 4, Log: quiet})
	if err != nil {
		return nil, nil, nil, err
	}
	if err := d.Migrate(ctx); err != nil {
		return nil, nil, nil, err
	}
	r, err := credential.NewRing([]credential.Key{workerKey})
	if err != nil {
		return nil, nil, nil, err
	}
	b, err := bus.NewRedis(redis)
	if err != nil {
		return nil, nil, nil, err
	}
	registry := &core.Registry{}
	if err := registry.Add(&core.Provider{Name: "acme", Title: "Acme", Auth: []core.AuthMethod{oauthtest.Auth(vendor)}}); err != nil {
		return nil, nil, nil, err
	}
	client := rest.NewClient(rest.Options{Trusted: []string{"127.0.0.1"}})
	s, err := credential.Open(ctx, d, r, registry, credential.Options{
		HTTP: func(string) core.Doer { return client }, Bus: b, FrontendURL: frontend, Log: quiet,
	})
	if err != nil {
		return nil, nil, nil, err
	}
	return s, b, func() {
		s.Close()
		_ = b.Close()
		_ = d.Close()
	}, nil
}

// processes is a vendor with an expired token of ada's, and what other processes
// need to ask for it.
type processes struct {
	t       *testing.T
	vendor  *oauthtest.Server
	service *credential.Service
	bus     bus.Bus
	id      string
	env     []string
}

func newProcesses(t *testing.T, server *oauthtest.Server) *processes {
	t.Helper()
	redis := os.Getenv("TEST_REDIS_URL")
	database := dbtest.PostgresURL(t)
	if redis == "" {
		t.Skip("TEST_REDIS_URL is not set, so many processes are not tested")
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	s, b, closeAll, err := openWorker(t.Context(), database, redis, web.URL)
	require.NoError(t, err)
	t.Cleanup(closeAll)
	login, err := s.Login(t.Context(), ada, "acme", nil)
	require.NoError(t, err)
	code, state, err := oauthtest.Approve(login.URL)
	require.NoError(t, err)
	meta, err := s.Callback(t.Context(), ada, "acme", core.Secret(code), state)
	require.NoError(t, err)
	c, err := s.Get(t.Context(), ada, meta.ID)
	require.NoError(t, err)
	expired := c.(core.OAuth2)
	expired.AccessExpiresAt = time.Now().Add(-time.Minute)
	_, err = s.UpdateTokens(t.Context(), ada, expired)
	require.NoError(t, err)
	return &processes{t: t, vendor: server, service: s, bus: b, id: meta.ID, env: append(os.Environ(),
		workerDatabase+"="+database, workerRedis+"="+redis, workerVendor+"="+web.URL, workerID+"="+meta.ID)}
}

// worker is a process that asks.
type worker struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	begin func()
}

// start starts a process and waits until it is ready.
func (p *processes) start(callers int) *worker {
	p.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(p.env, fmt.Sprintf("%s=%d", workerCallers, callers))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(p.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, cmd.Start())
	p.t.Cleanup(func() { _ = cmd.Process.Kill() })
	w := &worker{cmd: cmd, lines: bufio.NewScanner(out), begin: func() {
		_, err := in.Write([]byte("go\n"))
		require.NoError(p.t, err)
	}}
	require.True(p.t, w.lines.Scan())
	require.Equal(p.t, "ready", w.lines.Text())
	return w
}

// answers gives what a process has got, once it has ended.
func (w *worker) answers(t *testing.T) []string {
	t.Helper()
	var lines []string
	for w.lines.Scan() {
		lines = append(lines, w.lines.Text())
	}
	require.NoError(t, w.cmd.Wait())
	return lines
}

func (p *processes) token() string {
	p.t.Helper()
	c, err := p.service.Get(p.t.Context(), ada, p.id)
	require.NoError(p.t, err)
	return c.(core.OAuth2).AccessToken.Reveal()
}

func TestManyProcessesMakeOneRefresh(t *testing.T) {
	p := newProcesses(t, rotatingServer())
	workers := []*worker{p.start(67), p.start(67), p.start(66)}
	for _, w := range workers {
		w.begin()
	}
	var all []string
	for _, w := range workers {
		all = append(all, w.answers(t)...)
	}
	require.Len(t, all, 200)
	token := p.token()
	require.True(t, p.vendor.Works(token))
	for _, line := range all {
		require.Equal(t, "token "+token, line)
	}
	require.Equal(t, 1, p.vendor.Count("refresh"))
}

// A process that dies while the vendor works does not keep the others from the
// token for longer than its lock lasts.
func TestAProcessKilledDuringARefresh(t *testing.T) {
	p := newProcesses(t, rotatingServer())
	var calls atomic.Int32
	p.vendor.SetFault(func(w http.ResponseWriter, r *http.Request, form url.Values) bool {
		if calls.Add(1) > 1 {
			return false
		}
		return oauthtest.Hold(nil)(w, r, form) // until the client is gone
	})
	victim := p.start(1)
	victim.begin()
	require.Eventually(t, func() bool { return calls.Load() == 1 }, 30*time.Second, time.Millisecond)
	next := p.start(10)
	next.begin()
	require.NoError(t, victim.cmd.Process.Kill())
	require.Error(t, victim.cmd.Wait())
	token := p.token()
	require.True(t, p.vendor.Works(token))
	for _, line := range next.answers(t) {
		require.Equal(t, "token "+token, line)
	}
	require.Equal(t, 2, p.vendor.Count("refresh"))
}

// Of many processes that hear that a grant is gone, one tells it.
func TestManyProcessesTellOnce(t *testing.T) {
	p := newProcesses(t, rotatingServer())
	told, err := p.bus.Subscribe(t.Context(), credential.ReconnectTopic)
	require.NoError(t, err)
	defer told.Close()
	p.vendor.EndGrants()
	workers := []*worker{p.start(20), p.start(20), p.start(20)}
	for _, w := range workers {
		w.begin()
	}
	for _, w := range workers {
		for _, line := range w.answers(t) {
			require.Equal(t, "error The account at Acme must be connected again", line)
		}
	}
	require.Equal(t, 1, p.vendor.Count("refresh"))
	message := <-told.C()
	require.Contains(t, string(message.Data), p.id)
	// What is published now comes after whatever the others have published.
	require.NoError(t, p.bus.Publish(t.Context(), credential.ReconnectTopic, []byte("last")))
	require.Equal(t, "last", string((<-told.C()).Data))
}
