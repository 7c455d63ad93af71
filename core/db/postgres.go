package db

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

const (
	defaultConns = 20
	// minConns is what a migration and the queue's listener need side by side.
	minConns = 3
	// connectWait is how long Open waits for a server that does not answer.
	connectWait = 10 * time.Second
)

func openPostgres(ctx context.Context, o Options) (*DB, error) {
	cfg, schema, err := postgresConfig(o)
	if err != nil {
		return nil, fmt.Errorf("opening database: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening database: %w", oneLine(err, cfg.ConnConfig.Password))
	}
	if err := awaitPostgres(ctx, pool); err != nil {
		pool.Close()
		c := cfg.ConnConfig
		return nil, fmt.Errorf("connecting to Postgres at %s:%d, database %q, as %q: %w",
			c.Host, c.Port, c.Database, c.User, oneLine(err, c.Password))
	}
	handle := stdlib.OpenDBFromPool(pool)
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: handle}), gormConfig(o.Log))
	if err != nil {
		closeAll(handle)
		pool.Close()
		return nil, fmt.Errorf("opening database: %w", err)
	}
	return &DB{
		Engine: Postgres, Write: g, Read: g, Pool: pool,
		log: o.Log, write: handle, read: handle, schema: schema,
	}, nil
}

// postgresConfig reads the URL. It understands the query parameters that
// Prisma, the reference's client, adds to it: schema, connection_limit,
// pool_timeout and pgbouncer.
func postgresConfig(o Options) (cfg *pgxpool.Config, schema string, err error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		// The text of the error holds the whole URL, so only its reason is kept.
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, "", fmt.Errorf("reading the Postgres URL: %w", err)
	}
	q := u.Query()
	schema = q.Get("schema")
	limit, _ := strconv.Atoi(q.Get("connection_limit"))
	bouncer := q.Get("pgbouncer") == "true"
	for _, name := range []string{"schema", "connection_limit", "pool_timeout", "pgbouncer"} {
		q.Del(name)
	}
	u.RawQuery = q.Encode()

	cfg, err = pgxpool.ParseConfig(u.String())
	if err != nil {
		password, _ := u.User.Password()
		return nil, "", fmt.Errorf("reading the Postgres URL: %w", parseReason(err, password))
	}
	switch {
	case o.MaxConns > 0:
		limit = o.MaxConns
	case limit <= 0:
		limit = defaultConns
	}
	cfg.MaxConns = int32(max(limit, minConns))
	params := cfg.ConnConfig.RuntimeParams
	if schema != "" {
		params["search_path"] = pgx.Identifier{schema}.Sanitize()
	}
	if params["application_name"] == "" {
		params["application_name"] = "agentserver"
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	if bouncer {
		// A pooler that hands out a server per transaction cannot keep prepared
		// statements.
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	cfg.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID,
			Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
		})
		return nil
	}
	return cfg, schema, nil
}

// awaitPostgres connects, and waits for a server that is down or starting. What
// waiting cannot mend, such as a wrong password, fails at once.
func awaitPostgres(ctx context.Context, pool *pgxpool.Pool) error {
	deadline := time.Now().Add(connectWait)
	pause := 200 * time.Millisecond
	for {
		try, cancel := context.WithDeadline(ctx, deadline)
		err := pool.Ping(try)
		cancel()
		if err == nil || ctx.Err() != nil || !mayRecover(err) || time.Now().Add(pause).After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, 2*time.Second)
	}
}

// mayRecover reports whether a failed connection may succeed later: the server
// was not reached, is starting or stopping, or has no free connection.
func mayRecover(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return true
	}
	return strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "53")
}

// parseReason is oneLine without the URL, which pgx puts into the text.
func parseReason(err error, password string) error {
	text := oneLine(err, password).Error()
	if _, reason, ok := strings.Cut(text, "`: "); ok {
		text = reason
	}
	return errors.New(text)
}

// oneLine puts the text of an error on one line and takes the password out of
// it. Causes are dropped, because their text could show it again.
func oneLine(err error, password string) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if password != "" {
		text = strings.ReplaceAll(text, password, "xxxxx")
		text = strings.ReplaceAll(text, url.QueryEscape(password), "xxxxx")
	}
	return errors.New(text)
}
