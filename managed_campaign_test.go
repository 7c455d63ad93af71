package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agentserver/core/account"
	"agentserver/core/db/dbtest"
	"agentserver/providers/agentmail/agentmailtest"
)

const (
	mailKey    = "am_canary_organisation_key"
	signingKey = "canary-signing-key-of-the-campaign-0123456789"
	// listInboxesID is a block that works only with a key that AgentMail knows.
	listInboxesID = "cfd84a06-2121-4cef-8d14-8badf52d22f0"
)

// campaign is a number of servers that share a database, in front of a scripted
// AgentMail, and what can be done to them.
type campaign struct {
	t       *testing.T
	mail    *agentmailtest.Server
	mailURL string
	dir     string
	env     []string
	signer  *account.Signer

	replicas []*replica
	redis    *redisServer // nil without one
	postgres *proxy       // nil on SQLite
	tally    map[string]*atomic.Int64
}

// replica is one server; it comes back by itself after a kill.
type replica struct {
	mu      sync.Mutex
	address string
	process *process
	down    atomic.Bool
}

func newCampaign(t *testing.T) *campaign {
	mail := agentmailtest.New(mailKey)
	web := httptest.NewServer(mail)
	t.Cleanup(web.Close)
	signer, err := account.NewSigner("HS256", signingKey)
	require.NoError(t, err)
	c := &campaign{t: t, mail: mail, mailURL: web.URL, dir: t.TempDir(), signer: signer, tally: map[string]*atomic.Int64{}}
	for _, name := range []string{"rounds", "listings", "listings during an outage of Postgres", "kills", "restarts of Redis", "outages of Postgres", "faults of AgentMail"} {
		c.tally[name] = &atomic.Int64{}
	}
	c.env = []string{
		"AGENTMAIL_API_KEY=" + mailKey, "AGENTMAIL_BASE_URL=" + web.URL, "AGENTSERVER_AUTH_JWT_KEY=" + signingKey,
		"AGENTSERVER_MANAGED_RETRY=30ms", "AGENTSERVER_MANAGED_GRACE=300ms", "AGENTSERVER_WORKER_HEARTBEAT_TIMEOUT=2s",
	}
	return c
}

// launch starts servers.
func (c *campaign) launch(n int) {
	for range n {
		r := &replica{address: freeAddress(c.t)}
		r.process = start(c.t, c.dir, append(c.env, "AGENTSERVER_LISTEN="+r.address), "serve")
		(&api{t: c.t, address: r.address}).awaitHealth(r.process)
		c.replicas = append(c.replicas, r)
	}
}

// kill ends a server as a power cut would, and starts it again.
func (c *campaign) kill(r *replica) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.tally["kills"].Add(1)
	r.down.Store(true)
	r.process.kill()
	for up := false; !up; {
		// It ends again if Postgres goes away while it starts.
		r.process = start(c.t, c.dir, append(c.env, "AGENTSERVER_LISTEN="+r.address), "serve")
		up = r.comesUp()
	}
	r.down.Store(false)
}

// comesUp waits until the server is well, or has ended.
func (r *replica) comesUp() bool {
	for {
		select {
		case <-r.process.done:
			return false
		case <-time.After(20 * time.Millisecond):
		}
		res, err := http.Get("http://" + r.address + "/health")
		if err != nil {
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return true
		}
	}
}

// token gives what a user signs in with.
func (c *campaign) token(user, role string) string {
	token, err := c.signer.Token(account.Identity{UserID: user, Email: user + "@example.com", Role: role}, time.Hour)
	require.NoError(c.t, err)
	return token
}

// on gives one server as a user sees it.
func (c *campaign) on(r *replica, user, role string) *api {
	return &api{t: c.t, address: r.address, token: c.token(user, role)}
}

// list lists the credentials of a user at a server. Only a server that is being
// killed, or a database that is away, may fail it.
func (c *campaign) list(r *replica, user string) {
	if r.down.Load() {
		return
	}
	away := c.postgresAway()
	status, data, err := c.on(r, user, account.RoleUser).try("GET", "/api/integrations/credentials", nil)
	switch {
	case err != nil:
		// It was killed meanwhile.
	case away || c.postgresAway():
		c.tally["listings during an outage of Postgres"].Add(1)
	default:
		c.tally["listings"].Add(1)
		assert.Equal(c.t, 200, status, "%s", data)
	}
}

// postgresAway reports whether Postgres is away, or was a moment ago: broken
// connections are found out one by one.
func (c *campaign) postgresAway() bool { return c.postgres != nil && c.postgres.trouble.Load() > 0 }

// all lists at every server at once, several times.
func (c *campaign) all(user string) {
	var wg sync.WaitGroup
	for _, r := range c.replicas {
		for range 3 {
			wg.Go(func() { c.list(r, user) })
		}
	}
	wg.Wait()
}

// disturb does one bad thing.
func (c *campaign) disturb() {
	switch kind := rand.IntN(10); {
	case kind < 3:
		c.kill(c.replicas[rand.IntN(len(c.replicas))])
	case kind == 3 && c.redis != nil:
		c.tally["restarts of Redis"].Add(1)
		c.redis.restart()
	case kind == 4 && c.postgres != nil && rand.IntN(2) == 0:
		c.tally["outages of Postgres"].Add(1)
		c.postgres.outage(time.Duration(50+rand.IntN(200)) * time.Millisecond)
	default:
		c.faulty()
	}
}

// faulty makes AgentMail misbehave a few times, before or after a request took
// effect.
func (c *campaign) faulty() {
	steps := []agentmailtest.Fault{
		{Method: "POST", Path: "/v0/pods"},
		{Method: "POST", Path: "/api-keys"},
		{Method: "GET", Path: "/api-keys"},
		{Method: "DELETE"},
		{},
	}
	ways := []agentmailtest.Fault{
		{Drop: true},
		{Drop: true, After: true},
		{Drop: true, After: true, LatencyMS: 300},
		{Status: 429, RetryAfter: "0"},
		{Status: 500, RetryAfter: "0"},
		{Status: 500, RetryAfter: "0", After: true},
		{Status: 503, RetryAfter: "0"},
		{LatencyMS: 200},
	}
	for range 1 + rand.IntN(4) {
		f := ways[rand.IntN(len(ways))]
		step := steps[rand.IntN(len(steps))]
		f.Method, f.Path, f.Skip = step.Method, step.Path, rand.IntN(3)
		c.tally["faults of AgentMail"].Add(1)
		c.mail.Inject(f)
	}
}

// round brings a new user through a disturbance: in the end there is exactly one
// key, and it is the one that the user's blocks run with.
func (c *campaign) round(user string) {
	c.tally["rounds"].Add(1)
	if rand.IntN(2) == 0 {
		c.faulty()
	}
	var wg sync.WaitGroup
	wg.Go(func() { c.all(user) })
	wg.Go(func() {
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		c.disturb()
	})
	wg.Wait()
	require.Eventually(c.t, func() bool { return c.settled(user) }, time.Minute, 50*time.Millisecond, "user %s", user)
	assert.Equal(c.t, 1, c.mail.KeysOf(user), "keys of user %s", user)
	c.works(user)
}

// settled reports whether the user has a credential and nothing is under way.
func (c *campaign) settled(user string) bool {
	var list struct {
		Managed []struct {
			State  string
			Stored bool
		}
	}
	r := c.up()
	if r == nil {
		return false
	}
	c.list(r, user)
	status, data, err := c.on(r, "root", account.RoleAdmin).try("GET", "/api/admin/managed?user_id="+user, nil)
	if err != nil || status != 200 || json.Unmarshal(data, &list) != nil {
		return false
	}
	return len(list.Managed) == 1 && list.Managed[0].State == "stored" && list.Managed[0].Stored
}

// up gives a server that is not being killed, or nil.
func (c *campaign) up() *replica {
	for _, i := range rand.Perm(len(c.replicas)) {
		if !c.replicas[i].down.Load() {
			return c.replicas[i]
		}
	}
	return nil
}

// works runs a block with the user's credential.
func (c *campaign) works(user string) {
	require.Eventually(c.t, func() bool {
		r := c.up()
		if r == nil {
			return false
		}
		a := c.on(r, user, account.RoleUser)
		var listed []struct{ ID string }
		_, data, err := a.try("GET", "/api/integrations/credentials", nil)
		if err != nil || json.Unmarshal(data, &listed) != nil || len(listed) != 1 {
			return false
		}
		input := map[string]any{"credentials": map[string]any{"id": listed[0].ID, "provider": "agent_mail", "type": "api_key"}}
		status, _, err := a.try("POST", "/api/blocks/"+listInboxesID+"/execute", input)
		return err == nil && status == 200
	}, time.Minute, 50*time.Millisecond, "the credential of user %s does not work", user)
}

// run takes so many users through rounds, a few at a time.
func (c *campaign) run(rounds int) []string {
	users := make([]string, rounds)
	next := make(chan string, rounds)
	for i := range users {
		users[i] = fmt.Sprintf("user-%d", i)
		next <- users[i]
	}
	close(next)
	var lanes sync.WaitGroup
	for range 8 {
		lanes.Go(func() {
			for user := range next {
				if c.t.Failed() {
					return
				}
				c.round(user)
			}
		})
	}
	lanes.Wait()
	require.False(c.t, c.t.Failed())
	require.Equal(c.t, agentmailtest.Tally{Pods: rounds, Keys: rounds}, c.mail.Tally())
	return users
}

// remove deletes every account while things go wrong; nothing is left at the
// vendor.
func (c *campaign) remove(users []string) {
	stop := make(chan struct{})
	var trouble sync.WaitGroup
	trouble.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				c.disturb()
			}
		}
	})
	for _, user := range users {
		require.Eventually(c.t, func() bool {
			r := c.up()
			if r == nil {
				return false
			}
			a := c.on(r, user, account.RoleUser)
			status, _, err := a.try("DELETE", "/api/auth/user", map[string]any{"confirm": user + "@example.com"})
			// A page that is still open asks on.
			_, _, _ = a.try("GET", "/api/integrations/credentials", nil)
			// 401 follows an answer that was lost.
			return err == nil && (status == http.StatusAccepted || status == http.StatusUnauthorized)
		}, time.Minute, 20*time.Millisecond)
	}
	close(stop)
	trouble.Wait()
	c.mail.ClearFaults()
	require.Eventually(c.t, func() bool { return c.mail.Tally() == agentmailtest.Tally{} && c.nothingOpen() },
		2*time.Minute, 100*time.Millisecond, "%+v", c.mail.Tally())
}

// nothingOpen reports whether nothing is to be done at the vendor.
func (c *campaign) nothingOpen() bool {
	status, data, err := c.on(c.up(), "root", account.RoleAdmin).try("GET", "/api/admin/managed", nil)
	return err == nil && status == http.StatusOK && string(data) == `{"managed":[]}`
}

// report prints the tally and looks for secrets in the logs.
func (c *campaign) report() {
	for name, n := range c.tally {
		c.t.Logf("%s: %d", name, n.Load())
	}
	for _, r := range c.replicas {
		require.Zero(c.t, r.process.stop(), "%s", r.process.stderr)
		log := r.process.stderr.String()
		require.NotContains(c.t, log, mailKey)
		require.NotContains(c.t, log, signingKey)
		require.NotContains(c.t, log, "am_us_pod_", "a user's key")
		require.NotContains(c.t, log, "panic")
	}
	for _, secret := range []string{mailKey, signingKey, "am_us_pod_"} {
		require.NotContains(c.t, c.files(), secret, "a secret is in a file")
	}
}

// files gives all that the servers have written.
func (c *campaign) files() string {
	var all strings.Builder
	require.NoError(c.t, filepath.WalkDir(c.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all.Write(data)
		return err
	}))
	require.NotEmpty(c.t, all.String())
	return all.String()
}

func TestManagedCampaignOnSQLite(t *testing.T) {
	c := newCampaign(t)
	c.launch(1)
	users := c.run(25)
	c.remove(users)
	c.report()
}

func TestManagedCampaignOnPostgres(t *testing.T) {
	c := newCampaign(t)
	direct := dbtest.PostgresURL(t)
	c.postgres = newProxy(t, direct)
	c.env = append(c.env, "AGENTSERVER_DATABASE_URL="+c.postgres.url)
	if c.redis = newRedisServer(t); c.redis != nil {
		c.env = append(c.env, "AGENTSERVER_REDIS_URL="+c.redis.url)
	}
	c.launch(3)
	users := c.run(rounds(t))
	c.remove(users)
	c.report()
}

// campaignRounds in the environment is how many rounds the campaign on Postgres
// has: 300 for the whole of it.
const campaignRounds = "TEST_CAMPAIGN_ROUNDS"

func rounds(t *testing.T) int {
	text := os.Getenv(campaignRounds)
	if text == "" {
		return 40
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, campaignRounds)
	return n
}

// redisServer is a Redis that tests may kill.
type redisServer struct {
	t    *testing.T
	port string
	url  string
	mu   sync.Mutex
	cmd  *exec.Cmd
}

// newRedisServer starts one, or gives nil where none is installed.
func newRedisServer(t *testing.T) *redisServer {
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Log("redis-server is not installed, so the servers share no locks")
		return nil
	}
	_, port, err := net.SplitHostPort(freeAddress(t))
	require.NoError(t, err)
	r := &redisServer{t: t, port: port, url: "redis://127.0.0.1:" + port + "/0"}
	r.start()
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	return r
}

func (r *redisServer) start() {
	r.cmd = exec.Command("redis-server", "--port", r.port, "--bind", "127.0.0.1", "--save", "", "--dir", r.t.TempDir())
	require.NoError(r.t, r.cmd.Start())
	options, err := redis.ParseURL(r.url)
	require.NoError(r.t, err)
	client := redis.NewClient(options)
	defer client.Close()
	require.Eventually(r.t, func() bool { return client.Ping(context.Background()).Err() == nil }, 10*time.Second, 10*time.Millisecond)
}

// restart loses everything, locks included.
func (r *redisServer) restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.start()
}

// proxy stands between the servers and Postgres.
type proxy struct {
	url     string
	target  string
	mu      sync.Mutex
	conns   map[net.Conn]bool
	away    bool
	trouble atomic.Int64 // outages that are not quite over
}

func newProxy(t *testing.T, direct string) *proxy {
	u, err := url.Parse(direct)
	require.NoError(t, err)
	p := &proxy{target: u.Host, conns: map[net.Conn]bool{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close(); p.outage(0) })
	u.Host = l.Addr().String()
	p.url = u.String()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *proxy) serve(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer out.Close()
	p.mu.Lock()
	if p.away {
		p.mu.Unlock()
		return
	}
	p.conns[in], p.conns[out] = true, true
	p.mu.Unlock()
	go func() {
		_, _ = io.Copy(out, in)
		_ = out.Close()
	}()
	_, _ = io.Copy(in, out)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, in)
	delete(p.conns, out)
}

// outage closes every connection and takes none for a while.
func (p *proxy) outage(length time.Duration) {
	p.mu.Lock()
	p.away = true
	p.trouble.Add(1)
	for conn := range p.conns {
		_ = conn.Close()
	}
	p.mu.Unlock()
	time.Sleep(length)
	p.mu.Lock()
	p.away = false
	p.mu.Unlock()
	time.AfterFunc(time.Second, func() { p.trouble.Add(-1) })
}

// Two hundred users come at once, twenty times each.
func TestManagedCredentialsOfManyUsers(t *testing.T) {
	c := newCampaign(t)
	c.launch(1)
	const users, times = 200, 20
	var wg sync.WaitGroup
	limit := make(chan struct{}, 200)
	for i := range users * times {
		user := "user-" + strconv.Itoa(i%users)
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			c.list(c.replicas[0], user)
		})
	}
	wg.Wait()
	require.EqualValues(t, users*times, c.tally["listings"].Load())
	require.Eventually(t, func() bool { return c.mail.Tally() == agentmailtest.Tally{Pods: users, Keys: users} }, time.Minute, 50*time.Millisecond)
	for i := range users {
		c.works("user-" + strconv.Itoa(i))
	}
	require.Equal(t, agentmailtest.Tally{Pods: users, Keys: users}, c.mail.Tally())
	c.report()
}
