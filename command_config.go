package main

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/platform"
)

// flags are the settings that every command takes on its line.
type flags struct {
	file   string
	values map[string]*string // by key of the configuration
	cmd    *cobra.Command
}

// flagKeys are the flags and the keys they set.
var flagKeys = []struct{ flag, key, usage string }{
	{"listen", "listen", "address and port to listen on"},
	{"data-dir", "data_dir", "folder for everything kept on disk"},
	{"database-url", "database.url", "Postgres URL; without one a SQLite file is used"},
	{"redis-url", "redis.url", "Redis URL, for several processes"},
	{"log-level", "log.level", "debug, info, warn or error"},
	{"log-format", "log.format", "text or json"},
}

func (f *flags) bind(root *cobra.Command) {
	f.cmd, f.values = root, map[string]*string{}
	root.PersistentFlags().StringVar(&f.file, "config", "", "configuration file (default agentserver.yaml, if there is one)")
	for _, k := range flagKeys {
		f.values[k.flag] = root.PersistentFlags().String(k.flag, "", k.usage)
	}
}

// load reads the configuration.
func (f *flags) load() (*config.Config, error) {
	given := map[string]string{}
	for _, k := range flagKeys {
		if f.cmd.PersistentFlags().Changed(k.flag) {
			given[k.key] = *f.values[k.flag]
		}
	}
	return config.Load(config.Options{
		File: f.file, Env: os.Environ(), Flags: given, Providers: platform.ProviderSettings(core.Default),
	})
}

// newLog makes the log that the configuration asks for, on standard error.
func newLog(c *config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Log.Level)) // the configuration knows only valid ones
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// quietLog is newLog for commands that people watch: unless they ask for more, it
// holds warnings only.
func quietLog(c *config.Config) *slog.Logger {
	if c.Log.Level == "info" {
		return newLog(&config.Config{Log: config.Log{Level: "warn", Format: c.Log.Format}})
	}
	return newLog(c)
}

func newConfig(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the configuration in effect, without secrets, and where each value comes from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.load()
			if err != nil {
				return err
			}
			for _, p := range core.Default.Providers() {
				if p.Settings != nil {
					if err := c.FillSettings(p.Name, p.Settings); err != nil {
						return err
					}
				}
			}
			return c.Print(cmd.OutOrStdout())
		},
	}
}
