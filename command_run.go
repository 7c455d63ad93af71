package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/db"
	"agentserver/core/platform"
	"agentserver/server"
)

// runFlags are the options of the run command.
type runFlags struct {
	inputs  []string
	asJSON  bool
	timeout time.Duration
	email   string
}

func newRun(f *flags) *cobra.Command {
	r := &runFlags{}
	cmd := &cobra.Command{
		Use:   "run FILE",
		Short: "Import an exported agent, run it, and print its outputs",
		Long: "Imports the agent into the database and runs it, showing each node as it goes.\n" +
			"If a server uses the data folder at that time, the agent is run by that server.\n" +
			"The exit status is 0 only when the run completes without an error.",
		Example: `  agentserver run examples/greeting.json -i name=Ada
  agentserver run agent.json -i 'items=["a","b"]' --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAgent(cmd, f, r, args[0])
		},
	}
	cmd.Flags().StringArrayVarP(&r.inputs, "input", "i", nil, "an input, name=value; the value is JSON, or else text")
	cmd.Flags().BoolVar(&r.asJSON, "json", false, "print one JSON object a line, for machines")
	cmd.Flags().DurationVar(&r.timeout, "timeout", 0, "stop the run after this time, such as 5m; 0 waits for its end")
	cmd.Flags().StringVar(&r.email, "email", "cli@localhost", "the user to run as")
	return cmd
}

func runAgent(cmd *cobra.Command, f *flags, r *runFlags, file string) error {
	agent, err := readAgent(file)
	if err != nil {
		return err
	}
	inputs, err := parseInputs(r.inputs)
	if err != nil {
		return err
	}
	c, err := f.load()
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(cmd.Context())
	defer stop()
	client, closeClient, err := connect(ctx, c, r.email)
	if err != nil {
		return err
	}
	defer closeClient()
	view := newRunView(cmd.OutOrStdout(), os.Stderr, r.asJSON)
	run := &agentRun{client: client, view: view, registry: core.Default}
	return run.do(ctx, agent, inputs, r.timeout)
}

// readAgent reads an exported agent.
func readAgent(file string) (json.RawMessage, error) {
	data, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, fmt.Errorf("reading the agent: %w", err)
	}
	var probe struct {
		Nodes []json.RawMessage `json:"nodes"`
	}
	if err := json.Unmarshal(data, &probe); err != nil {
		return nil, fmt.Errorf("%s is not an exported agent: %w", file, err)
	}
	if len(probe.Nodes) == 0 {
		return nil, fmt.Errorf("%s is not an exported agent: it has no nodes", file)
	}
	return data, nil
}

// parseInputs reads name=value pairs. A value that is JSON counts as such.
func parseInputs(pairs []string) (core.Values, error) {
	inputs := core.Values{}
	for _, pair := range pairs {
		name, text, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, core.Errorf(core.Invalid, "input %q is not of the form name=value", pair)
		}
		value, err := core.DecodeJSON([]byte(text))
		if err != nil {
			value = text
		}
		inputs[name] = value
	}
	return inputs, nil
}

// connect gives a client of the API: of a server that has the data folder, or
// of a platform in this very process.
func connect(ctx context.Context, c *config.Config, email string) (*apiClient, func(), error) {
	key, err := platform.SigningKey(c)
	if err != nil {
		return nil, nil, err
	}
	signer, err := account.NewSigner(c.Auth.JWTAlgorithm, key)
	if err != nil {
		return nil, nil, fmt.Errorf("the run command signs its own token, which needs a shared key: %w", err)
	}
	token, err := signer.Token(identityOf(email, false), 24*time.Hour)
	if err != nil {
		return nil, nil, err
	}
	client := &apiClient{base: "http://" + c.Listen, token: token, transport: http.DefaultTransport}
	p, err := platform.New(ctx, c, platform.Options{Work: true, Log: quietLog(c)})
	var locked *db.LockedError
	if errors.As(err, &locked) {
		if askHealth(ctx, c.Listen) != nil {
			return nil, nil, fmt.Errorf("%w, and no server answers at %s: name its address with --listen, or another folder with --data-dir", err, c.Listen)
		}
		return client, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	api, err := server.New(p)
	if err == nil {
		err = p.Start(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(err, closePlatform(c, p))
	}
	client.transport = inProcess{api}
	return client, func() { _ = closePlatform(c, p) }, nil
}

// inProcess passes requests to a handler without a network.
type inProcess struct{ handler http.Handler }

// RoundTrip answers a request.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	return w.Result(), nil
}

// apiClient calls the API.
type apiClient struct {
	base, token string
	transport   http.RoundTripper
}

// call sends a request and reads its answer. An answer that is not a success
// is an *apiError.
func (c *apiClient) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := core.JSON(in)
		if err != nil {
			return err
		}
		body = strings.NewReader(string(data))
	}
	u, err := url.Parse(c.base)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String()+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := (&http.Client{Transport: c.transport}).Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= http.StatusBadRequest {
		return newAPIError(res.StatusCode, data)
	}
	if out == nil || len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, out)
}

// apiError is an answer that is not a success.
type apiError struct {
	status     int
	message    string
	nodeErrors map[string]map[string]string
}

func (e *apiError) Error() string { return e.message }

func newAPIError(status int, body []byte) error {
	e := &apiError{status: status, message: strings.TrimSpace(string(body))}
	var answer struct {
		Detail json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return e
	}
	var text string
	var validation struct {
		Message    string                       `json:"message"`
		NodeErrors map[string]map[string]string `json:"node_errors"`
	}
	switch {
	case json.Unmarshal(answer.Detail, &text) == nil:
		e.message = text
	case json.Unmarshal(answer.Detail, &validation) == nil && validation.Message != "":
		e.message, e.nodeErrors = validation.Message, validation.NodeErrors
	default:
		e.message = string(answer.Detail)
	}
	return e
}
