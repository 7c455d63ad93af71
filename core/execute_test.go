package core_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

type runIn struct {
	Text  string         `json:"text" default:"hello"`
	Count int            `json:"count" default:"1"`
	Maybe *int           `json:"maybe"`
	Any   any            `json:"any" default:"null"`
	Rows  [][]int        `json:"rows" factory:"[[1]]"`
	Obj   smtpConfig     `json:"obj" factory:"{\"smtp_server\":\"s\"}"`
	Flag  bool           `json:"flag" default:"true"`
	Ratio float64        `json:"ratio" default:"0.5"`
	Map   map[string]any `json:"map" factory:"{}"`
	When  time.Time      `json:"when" factory:"null"`
}

type runOut struct {
	Text core.Pin[string] `json:"text"`
	Num  core.Pin[any]    `json:"num"`
	Int  core.Pin[int]    `json:"int"`
	List core.Pin[[]any]  `json:"list"`
}

type emission struct {
	pin   string
	value any
}

// execute runs a function as a block and gives what it emitted.
func execute(t *testing.T, spec core.BlockSpec, in core.Values, fn func(context.Context, *core.Run, *runIn, *runOut) error) ([]emission, error) {
	t.Helper()
	b := core.NewBlock(complete(spec), fn)
	register(t, b)
	var got []emission
	err := core.Execute(t.Context(), b, &core.Run{}, in, func(pin string, value any) error {
		got = append(got, emission{pin, value})
		return nil
	})
	return got, err
}

func TestExecuteInputs(t *testing.T) {
	seven := 7
	defaults := runIn{
		Text: "hello", Count: 1, Rows: [][]int{{1}}, Obj: smtpConfig{Server: "s"}, Flag: true, Ratio: 0.5, Map: map[string]any{},
	}
	for _, c := range []struct {
		name string
		in   core.Values
		want func(*runIn)
	}{
		{"defaults", core.Values{}, func(*runIn) {}},
		{"null inputs are dropped", core.Values{"text": nil, "count": nil, "maybe": nil}, func(*runIn) {}},
		{"values", core.Values{
			"text": "x", "count": 2, "maybe": 7, "any": []any{1}, "rows": []any{[]any{1, 2}},
			"obj": map[string]any{"smtp_server": "y", "smtp_port": 2}, "flag": false, "ratio": 2, "map": map[string]any{"a": 1},
			"when": "2024-05-06T07:08:09Z",
		}, func(w *runIn) {
			*w = runIn{
				Text: "x", Count: 2, Maybe: &seven, Any: []any{1}, Rows: [][]int{{1, 2}}, Obj: smtpConfig{"y", 2},
				Ratio: 2, Map: map[string]any{"a": 1}, When: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC),
			}
		}},
		{"whole floats are integers", core.Values{"count": 2.0}, func(w *runIn) { w.Count = 2 }},
		{"unknown inputs are ignored", core.Values{"other": 1}, func(*runIn) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := defaults
			c.want(&want)
			var got runIn
			_, err := execute(t, core.BlockSpec{}, c.in, func(_ context.Context, _ *core.Run, in *runIn, _ *runOut) error {
				got = *in
				return nil
			})
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

func TestExecuteRefusesInputs(t *testing.T) {
	for in, want := range map[*core.Values]string{
		{"text": 5}:               "Unable to execute block with invalid input data: 5 is not of type 'string'",
		{"count": true}:           "Unable to execute block with invalid input data: True is not of type 'integer'",
		{"obj": map[string]any{}}: "Unable to execute block with invalid input data: 'smtp_server' is a required property",
		{"when": "yesterday"}:     "input 'when': ",
	} {
		_, err := execute(t, core.BlockSpec{}, *in, func(context.Context, *core.Run, *runIn, *runOut) error { return nil })
		var be *core.BlockError
		require.ErrorAs(t, err, &be, want)
		require.Contains(t, be.Message, want)
		require.True(t, be.Handled)
		require.True(t, core.IsKind(err, core.Invalid))
	}
	_, err := executeStore(t, core.Values{"input": nil})
	require.EqualError(t, err, "raised by TestBlock with message: Unable to execute block with invalid input data: "+
		"'input' is a required property. block_id: "+testID)
}

func executeStore(t *testing.T, in core.Values) (any, error) {
	t.Helper()
	b := core.NewBlock(complete(core.BlockSpec{}), func(_ context.Context, _ *core.Run, in *storeIn, out *storeOut) error {
		out.Output.Emit(in.Input)
		return nil
	})
	register(t, b)
	var got any
	err := core.Execute(t.Context(), b, &core.Run{}, in, func(_ string, v any) error {
		got = v
		return nil
	})
	return got, err
}

func TestExecuteOutputs(t *testing.T) {
	type point struct {
		X int       `json:"x"`
		T time.Time `json:"t"`
	}
	got, err := execute(t, core.BlockSpec{}, nil, func(_ context.Context, _ *core.Run, _ *runIn, out *runOut) error {
		out.Num.Emit(1)
		out.Text.Emit("a")
		out.Num.Emit(math.NaN())
		out.Num.Emit(point{1, time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)})
		out.List.Emit(nil)
		out.List.Emit([]any{1.5, core.Secret("hidden")})
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []emission{
		{"num", 1},
		{"text", "a"},
		{"num", nil},
		{"num", map[string]any{"x": 1, "t": "2024-05-06T07:08:09Z"}},
		{"list", nil},
		{"list", []any{1.5, "**********"}},
	}, got)
}

func TestExecuteRefusesOutputs(t *testing.T) {
	for _, c := range []struct {
		name string
		spec core.BlockSpec
		pin  string
		val  any
		want string // "" when it may pass
	}{
		{"error ends the run", core.BlockSpec{}, "error", "it broke", "it broke"},
		{"error without text", core.BlockSpec{}, "error", nil, "Output error was None"},
		{"error with data", core.BlockSpec{}, "error", map[string]any{"code": 5}, `{"code": 5}`},
		{"error with empty text", core.BlockSpec{}, "error", "", "Unknown error occurred"},
		{"undeclared", core.BlockSpec{}, "other", 1, "Invalid property name other"},
		{"undeclared, of another kind of block", core.BlockSpec{UI: core.UIAgent}, "other", 1, ""},
		{"error of another kind of block", core.BlockSpec{UI: core.UIAgent}, "error", "x", "x"},
		{"wrong type", core.BlockSpec{}, "text", 5, "Block produced an invalid output data: 5 is not of type 'string'"},
		{"wrong type, of another kind of block", core.BlockSpec{UI: core.UIAgent}, "text", 5, ""},
		{"null", core.BlockSpec{}, "text", nil, ""},
		{"no JSON form", core.BlockSpec{}, "num", func() {}, "output 'num' has no JSON form: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			inner := blockOf[runIn, runOut](complete(c.spec))
			register(t, inner)
			b := &rawBlock{Block: inner, emissions: []emission{{"int", 1}, {c.pin, c.val}, {"int", 2}}}
			var pins []string
			err := core.Execute(t.Context(), b, &core.Run{}, nil, func(pin string, _ any) error {
				pins = append(pins, pin)
				return nil
			})
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, []string{"int", c.pin, "int"}, pins)
				return
			}
			require.Equal(t, []string{"int"}, pins, "what came before stays, nothing follows")
			var be *core.BlockError
			require.ErrorAs(t, err, &be)
			require.Contains(t, be.Message, c.want)
			require.True(t, be.Handled)
			require.Equal(t, testID, be.BlockID)
			require.Equal(t, "TestBlock", be.BlockName)
		})
	}
}

// rawBlock emits what a typed block could not.
type rawBlock struct {
	core.Block
	emissions []emission
}

func (b *rawBlock) Run(_ context.Context, _ *core.Run, _ core.Values, emit core.Emit) error {
	for _, e := range b.emissions {
		if err := emit(e.pin, e.value); err != nil {
			return err
		}
	}
	return nil
}

func TestExecuteFailures(t *testing.T) {
	cause := core.Errorf(core.TooMany, "slow down")
	for _, c := range []struct {
		name    string
		fn      func() error
		message string
		handled bool
		kind    core.Kind
	}{
		{"the block's own error", func() error { return fmt.Errorf("calling: %w", cause) }, "calling: slow down", true, core.TooMany},
		{"an error without text", func() error { return errors.New("") }, "Unknown error occurred", true, core.Internal},
		{"a panic", func() error { panic("oh no") }, "the block crashed: oh no", false, core.Internal},
		{"a panic with an error", func() error { panic(cause) }, "the block crashed: slow down", false, core.Internal},
		{"a cancellation that is not the run's", func() error { return context.Canceled }, "context canceled", true, core.Internal},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := execute(t, core.BlockSpec{}, nil, func(_ context.Context, _ *core.Run, _ *runIn, out *runOut) error {
				out.Int.Emit(1)
				return c.fn()
			})
			require.Equal(t, []emission{{"int", 1}}, got)
			var be *core.BlockError
			require.ErrorAs(t, err, &be)
			require.Equal(t, c.message, be.Message)
			require.Equal(t, c.handled, be.Handled)
			require.Equal(t, c.kind, core.KindOf(err))
			require.Equal(t, !c.handled, len(be.Stack) > 0, "only crashes carry a stack")
			require.EqualError(t, err, "raised by TestBlock with message: "+c.message+". block_id: "+testID)
		})
	}
}

func TestExecuteReview(t *testing.T) {
	_, err := execute(t, core.BlockSpec{}, nil, func(context.Context, *core.Run, *runIn, *runOut) error {
		return fmt.Errorf("asking: %w", core.ErrAwaitingReview)
	})
	require.ErrorIs(t, err, core.ErrAwaitingReview)
	var be *core.BlockError
	require.False(t, errors.As(err, &be), "waiting is no failure")
}

func TestExecuteCancel(t *testing.T) {
	b := core.NewBlock(complete(core.BlockSpec{}), func(ctx context.Context, _ *core.Run, _ *runIn, _ *runOut) error {
		<-ctx.Done()
		return fmt.Errorf("waiting: %w", ctx.Err())
	})
	register(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, context.Canceled, core.Execute(ctx, b, &core.Run{}, nil, nil))
}

func TestExecuteStopsWithItsReceiver(t *testing.T) {
	stopped := errors.New("the run was stopped")
	b := core.NewBlock(complete(core.BlockSpec{}), func(_ context.Context, _ *core.Run, _ *runIn, out *runOut) error {
		out.Int.Emit(1)
		out.Int.Emit(2)
		return nil
	})
	register(t, b)
	calls := 0
	err := core.Execute(t.Context(), b, &core.Run{}, nil, func(string, any) error {
		calls++
		return stopped
	})
	require.ErrorIs(t, err, stopped)
	require.Equal(t, 1, calls)
}

func TestExecuteDynamic(t *testing.T) {
	b := core.NewDynamicBlock(complete(core.BlockSpec{UI: core.UIAgent, ErrorPin: core.ErrorPinNone}),
		func(_ context.Context, _ *core.Run, in *runIn, emit core.Emit) error { return emit("any pin", in.Text) })
	register(t, b)
	var got []emission
	require.NoError(t, core.Execute(t.Context(), b, &core.Run{}, core.Values{"text": "x"}, func(pin string, v any) error {
		got = append(got, emission{pin, v})
		return nil
	}))
	require.Equal(t, []emission{{"any pin", "x"}}, got)
	require.ErrorContains(t, core.Execute(t.Context(), b, &core.Run{}, core.Values{"when": "x"}, nil), "input 'when'")
}

func TestExecuteDryRun(t *testing.T) {
	b := blockOf[runIn, runOut](complete(core.BlockSpec{}))
	register(t, b)
	err := core.Execute(t.Context(), b, &core.Run{DryRun: true}, nil, nil)
	require.ErrorContains(t, err, "dry runs need a language model")
	require.True(t, core.IsKind(err, core.Unavailable))
}

func TestExecuteCredentials(t *testing.T) {
	type in struct {
		C core.Credential `json:"credentials"`
		K *core.APIKey    `json:"key_credentials"`
	}
	type out struct{}
	field := core.CredentialsField{Types: []core.CredentialType{core.TypeAPIKey, core.TypeOAuth2}}
	spec := complete(core.BlockSpec{Credentials: map[string]core.CredentialsField{
		"credentials": field, "key_credentials": {Optional: true},
	}})
	var got in
	b := core.NewBlock(spec, func(_ context.Context, _ *core.Run, in *in, _ *out) error {
		got = *in
		return nil
	})
	register(t, b)
	key := core.APIKey{CredentialBase: core.CredentialBase{ID: "1", Provider: "acme"}, Key: "k"}
	oauth := core.OAuth2{CredentialBase: core.CredentialBase{ID: "2", Provider: "acme"}, AccessToken: "t"}

	require.NoError(t, core.Execute(t.Context(), b, &core.Run{}, core.Values{"credentials": oauth, "key_credentials": key}, nil))
	require.Equal(t, in{C: oauth, K: &key}, got)

	require.NoError(t, core.Execute(t.Context(), b, &core.Run{}, core.Values{"credentials": oauth}, nil))
	require.Equal(t, in{C: oauth}, got, "an optional credential may be left out")

	require.ErrorContains(t, core.Execute(t.Context(), b, &core.Run{}, core.Values{}, nil), "'credentials' is a required property")
	foreign := key
	foreign.Provider = "other"
	require.ErrorContains(t, core.Execute(t.Context(), b, &core.Run{}, core.Values{"credentials": foreign}, nil), "'acme' was expected")
}
