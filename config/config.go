package config

import (
	"slices"
	"time"

	"agentserver/core"
)

// Config is the effective configuration. It is made by [Load] and must not be
// changed afterwards.
type Config struct {
	Listen      string `key:"listen" default:"127.0.0.1:8006" env:"AGENT_API_HOST+AGENT_API_PORT" doc:"Address and port of the HTTP listener, which serves the API, health and metrics."`
	DataDir     string `key:"data_dir" default:"./data" doc:"Folder for everything the server keeps on disk: the SQLite database, generated keys, files."`
	PublicURL   string `key:"public_url" env:"PLATFORM_BASE_URL" doc:"URL at which others reach this server; webhooks and links in mail need it."`
	FrontendURL string `key:"frontend_url" env:"FRONTEND_BASE_URL" doc:"URL of the web client, for sign-in redirects and shared links."`
	AppEnv      string `key:"app_env" default:"local" env:"APP_ENV" oneof:"local dev prod" doc:"Kind of deployment. prod refuses settings that are only fit for a developer's machine."`

	Database   Database   `key:"database" doc:"Database"`
	Redis      Redis      `key:"redis" doc:"Redis"`
	Auth       Auth       `key:"auth" doc:"Sign-in"`
	Encryption Encryption `key:"encryption" doc:"Stored secrets"`
	Log        Log        `key:"log" doc:"Logs"`
	HTTP       HTTP       `key:"http" doc:"HTTP"`
	CORS       CORS       `key:"cors" doc:"Cross-origin requests"`
	Metrics    Metrics    `key:"metrics" doc:"Metrics"`
	Worker     Worker     `key:"worker" doc:"Workers"`
	Run        Run        `key:"run" doc:"Runs"`
	Blocks     Blocks     `key:"blocks" doc:"Blocks"`
	Managed    Managed    `key:"managed" doc:"Managed credentials"`
	Webhooks   Webhooks   `key:"webhooks" doc:"Webhooks"`
	Files      Files      `key:"files" doc:"Files"`
	Providers  Providers  `key:"providers" doc:"Providers"`

	settings []setting // every setting, in the order of declaration
	byKey    map[string]*setting
}

// Database says where the data lives.
type Database struct {
	URL      core.Secret `key:"url" env:"DATABASE_URL" doc:"URL of a Postgres database, postgres://user:password@host/name. Empty: a SQLite file in data_dir."`
	MaxConns int         `key:"max_conns" default:"20" min:"2" max:"1000" env:"DB_CONNECTION_LIMIT" doc:"Most connections that one process opens to Postgres."`
}

// Redis says how processes share events, locks and counters.
type Redis struct {
	URL core.Secret `key:"url" env:"REDIS_HOST+REDIS_PORT+REDIS_PASSWORD" doc:"URL of a Redis server, redis://:password@host:6379/0, or rediss:// for TLS. Needed when several processes share the work. Empty: everything stays in this process."`
}

// Auth says how the tokens that users sign in with are checked.
type Auth struct {
	JWTKey       core.Secret `key:"jwt_key" env:"JWT_VERIFY_KEY,SUPABASE_JWT_SECRET" doc:"Key of bearer tokens: the shared secret of an HS algorithm, or the PEM public key of another. Empty: a secret is made on first start and kept in data_dir."`
	JWTAlgorithm string      `key:"jwt_algorithm" default:"HS256" env:"JWT_SIGN_ALGORITHM" oneof:"HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA" doc:"The one signature algorithm that is accepted."`
	JWKSURL      string      `key:"jwks_url" doc:"URL of a JSON Web Key Set to take public keys from, in place of auth.jwt_key."`
}

// Encryption holds the keys that stored secrets are sealed with.
type Encryption struct {
	Keys []core.Secret `key:"keys" env:"ENCRYPTION_KEY" doc:"Keys of stored secrets, each 32 bytes in base64, optionally with a name before it (2026:…). The first one seals, all of them open, so a new key goes first and the old one stays until everything is sealed anew. Empty: a key is made on first start and kept in data_dir."`

	// Ring is Keys parsed, in the same order.
	Ring []EncryptionKey
}

// Log says what is logged and how. Logs go to standard error.
type Log struct {
	Level  string `key:"level" default:"info" env:"LOG_LEVEL" oneof:"debug info warn error" doc:"Least severity that is logged."`
	Format string `key:"format" default:"text" oneof:"text json" doc:"Form of a log line."`
}

// HTTP bounds what a request may cost.
type HTTP struct {
	MaxBody int `key:"max_body" default:"8388608" min:"1024" doc:"Largest request body in bytes, except for uploads, which have limits of their own."`

	TrustedHosts []string `key:"trusted_hosts" doc:"Hosts that the blocks of every user may reach although they are on a private network or on this machine: a name or an address, with a port (wiki.example.internal:8080) to allow just that one. Everything that listens there is open to everyone who can run agents."`
}

// CORS says which web pages may call the API.
type CORS struct {
	AllowOrigins []string `key:"allow_origins" default:"[\"http://localhost:3000\"]" env:"BACKEND_CORS_ALLOW_ORIGINS" doc:"Origins that may call the API from a browser: https://app.example.com, or regex:PATTERN, which must match the whole origin. Local ones need a port, and http://localhost and http://127.0.0.1 stand for each other."`

	// Allowed is AllowOrigins parsed.
	Allowed Origins
}

// Metrics says whether the server measures itself.
type Metrics struct {
	Enabled bool `key:"enabled" default:"true" env:"ENABLE_METRICS" doc:"Serve Prometheus metrics at /metrics."`
}

// Worker bounds what one process runs at a time.
type Worker struct {
	MaxRuns             int           `key:"max_runs" default:"500" min:"1" max:"100000" env:"NUM_GRAPH_WORKERS" doc:"Most runs that this process works on at a time."`
	MaxNodesPerRun      int           `key:"max_nodes_per_run" default:"16" min:"1" max:"1000" doc:"Most blocks of one run that execute at a time."`
	MaxRunsPerUserGraph int           `key:"max_runs_per_user_graph" default:"25" min:"1" max:"1000" env:"MAX_CONCURRENT_GRAPH_EXECUTIONS_PER_USER" doc:"Most runs of one agent that one user has going at a time; more wait their turn."`
	HeartbeatTimeout    time.Duration `key:"heartbeat_timeout" default:"20s" min:"2s" max:"10m" doc:"Silence after which a worker is taken for dead and its runs are taken over."`
	ShutdownTimeout     time.Duration `key:"shutdown_timeout" default:"30s" min:"0s" max:"1h" doc:"Time that work in flight is given to end when the server stops; what remains is resumed elsewhere or at the next start."`
}

// Run bounds one run.
type Run struct {
	MaxNodeExecutions int `key:"max_node_executions" default:"100000" min:"1" doc:"Most block executions of one run; a run that needs more fails."`
}

// Blocks changes which of the platform's own blocks exist.
type Blocks struct {
	AgentInputSubtypes bool `key:"agent_input_subtypes" default:"true" env:"ENABLE_AGENT_INPUT_SUBTYPE_BLOCKS" doc:"Offer the input blocks for one type each, such as dates, files and drop-downs."`
}

// Managed says how patient the server is with vendors that provision
// credentials for users.
type Managed struct {
	Wait  time.Duration `key:"wait" default:"1500ms" min:"0s" max:"30s" doc:"How long a user's first list of credentials waits for what is being provisioned; it goes on in the background all the same."`
	Retry time.Duration `key:"retry" default:"2s" min:"10ms" max:"1h" doc:"Pause after the first failed attempt at a vendor; it doubles with each further one, up to 5 minutes, or an hour when a credential is taken back."`
	Grace time.Duration `key:"grace" default:"10m" min:"0s" max:"24h" doc:"How long a credential that was replaced goes on to work, for the runs that have it."`
}

// Webhooks bounds what deliveries from outside may cost. public_url must be set
// for them.
type Webhooks struct {
	MaxBody     int           `key:"max_body" default:"26214400" min:"1024" max:"268435456" doc:"Largest delivery in bytes; vendors send up to 25 MB."`
	MaxInFlight int           `key:"max_in_flight" default:"134217728" min:"1024" doc:"Most bytes of deliveries that one process receives at a time; it is never less than max_body. More are asked to come back."`
	Rate        int           `key:"rate" default:"2000" min:"1" max:"1000000" doc:"Most deliveries a second to one webhook that one process takes for long; five times as many may come at once. More are asked to come back."`
	MaxBacklog  int           `key:"max_backlog" default:"100000" min:"1" doc:"Most deliveries that wait for their runs to start; more are asked to come back."`
	Attempts    int           `key:"attempts" default:"12" min:"1" max:"100" doc:"How often the runs of a delivery are tried to be started before it is given up; administrators can replay it then."`
	Retry       time.Duration `key:"retry" default:"2s" min:"10ms" max:"1h" doc:"Pause after the first failed attempt; it doubles with each further one, up to an hour."`
	Keep        time.Duration `key:"keep" default:"72h" min:"1m" doc:"How long deliveries are kept that have started their runs; for so long, a repeated one is recognized."`
	KeepDead    time.Duration `key:"keep_dead" default:"720h" min:"1m" doc:"How long deliveries are kept that could not start a run."`
}

// Files says where the files of users are kept, and bounds them.
type Files struct {
	URL        core.Secret `key:"url" doc:"Where files are kept: file:///srv/files for a folder, or s3://bucket?region=eu-central-1 for S3 and what speaks its protocol (&endpoint=https://…&use_path_style=true), with keys from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY). Google Cloud Storage (gs://bucket) and Azure (azblob://container) need a line each in buckets.go. Empty: the folder files in data_dir."`
	TempDir    string      `key:"temp_dir" doc:"Folder for the files that blocks work on while they run; they are removed when the block ends. Empty: the folder tmp in data_dir."`
	MaxFile    int         `key:"max_file" default:"104857600" min:"1024" max:"4294967296" doc:"Largest file in bytes, in workspaces and in blocks. Some blocks hold a file in memory."`
	MaxUpload  int         `key:"max_upload" default:"268435456" min:"1024" max:"4294967296" doc:"Largest file in bytes that can be uploaded as the input of a run."`
	MaxStorage int         `key:"max_storage" default:"524288000" min:"1024" doc:"Most bytes that the workspace of one user holds."`
	Inline     int         `key:"inline" default:"262144" min:"0" max:"4194304" doc:"Largest file in bytes that an upload for a run gives back as a data: URI; larger ones are kept in the workspace until they expire."`
	ClamAV     string      `key:"clamav" env:"CLAMAV_SERVICE_HOST+CLAMAV_SERVICE_PORT" doc:"Address (host:port) of a ClamAV daemon that looks at every file before it is kept. Empty: files are not looked at."`
	MaxRunTemp int         `key:"max_run_temp" default:"1073741824" min:"1024" doc:"Most bytes of temporary files that one run has at a time."`
}

// Providers turns integrations on and off.
type Providers struct {
	Enabled  []string `key:"enabled" doc:"The only providers that are on. Empty: all that are compiled in."`
	Disabled []string `key:"disabled" doc:"Providers that are off, even if listed as enabled."`
}

// On reports whether the provider of that name is on.
func (p Providers) On(name string) bool {
	if slices.Contains(p.Disabled, name) {
		return false
	}
	return len(p.Enabled) == 0 || slices.Contains(p.Enabled, name)
}

// Prod reports whether this is a production deployment.
func (c *Config) Prod() bool { return c.AppEnv == "prod" }
