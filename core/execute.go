package core

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
)

// BlockError is the failure of a block's run.
type BlockError struct {
	BlockName string
	BlockID   string
	Message   string
	// Handled failures are the agent's or a vendor's; the others are faults of
	// the block itself.
	Handled bool
	// Stack is set when the block panicked; it is for logs only.
	Stack []byte
	cause error
}

func (e *BlockError) Error() string {
	return fmt.Sprintf("raised by %s with message: %s. block_id: %s", e.BlockName, e.Message, e.BlockID)
}

// Unwrap gives the block's own error.
func (e *BlockError) Unwrap() error { return e.cause }

// Execute runs a block on inputs: it drops null inputs, checks the rest
// against the input schema, runs the block and checks what it emits. A
// sensitive block is reviewed by a person first, where the run asks for that. A
// panic becomes an error. Failures are a [*BlockError]; the error of the context and
// [ErrAwaitingReview] are returned as they are.
//
// Outputs reach emit as plain JSON values. An output named "error" ends the
// run and becomes the failure. A failure does not repeat the secrets of the
// credentials among the inputs.
func Execute(ctx context.Context, b Block, run *Run, in Values, emit Emit) error {
	spec := b.Spec()
	run.fill()
	in, err := reviewed(ctx, spec, run, in)
	switch {
	case err == nil:
	case errors.Is(err, ErrAwaitingReview) || ctx.Err() != nil:
		return err
	default:
		return blockError(spec, err)
	}
	inputs := Values{}
	plain := map[string]any{}
	for k, v := range in {
		if v == nil {
			continue
		}
		inputs[k] = v
		plain[k] = v
		if c, ok := v.(Credential); ok {
			plain[k] = refOf(c)
		}
	}
	if spec.inputCheck != nil {
		if err := spec.inputCheck.Validate(plain); err != nil {
			return blockError(spec, Errorf(Invalid, "Unable to execute block with invalid input data: %w", err))
		}
	}
	if run.DryRun {
		return blockError(spec, Errorf(Unavailable, "dry runs need a language model to simulate blocks, and none is set up"))
	}
	checked := func(pin string, value any) error {
		v, err := Plain(value)
		if err != nil {
			return Errorf(Invalid, "output '%s' has no JSON form: %w", pin, err)
		}
		if pin == "error" {
			return Errorf(Invalid, "%s", errorText(v))
		}
		if err := spec.checkOutput(pin, v); err != nil {
			return err
		}
		return emit(pin, v)
	}
	err = runSafely(ctx, b, run, inputs, checked)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return ctx.Err()
	case errors.Is(err, ErrAwaitingReview):
		return err
	}
	failure := blockError(spec, err)
	failure.Message = Redact(failure.Message, credentialsOf(inputs)...)
	return failure
}

// runSafely turns a panic into an error, so that it fails one node and not the
// process.
func runSafely(ctx context.Context, b Block, run *Run, in Values, emit Emit) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{value: p, stack: debug.Stack()}
		}
	}()
	return b.Run(ctx, run, in, emit)
}

type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("the block crashed: %v", e.value) }

func blockError(spec *BlockSpec, err error) *BlockError {
	be := &BlockError{BlockName: spec.Name, BlockID: spec.ID, Message: err.Error(), cause: err}
	var p *panicError
	if errors.As(err, &p) {
		be.Stack = p.stack
		return be
	}
	if be.Message == "" {
		be.Message = "Unknown error occurred"
	}
	be.Handled = true
	return be
}

// checkOutput checks an emission of a standard block against its pin's schema.
// Other kinds of blocks may emit what they like.
func (s *BlockSpec) checkOutput(pin string, v any) error {
	if s.UI != UIStandard && s.UI != "" {
		return nil
	}
	check, ok := s.outputChecks[pin]
	if !ok {
		return Errorf(Invalid, "Invalid property name %s", pin)
	}
	if v == nil {
		return nil
	}
	if err := check.Validate(v); err != nil {
		return Errorf(Invalid, "Block produced an invalid output data: %w", err)
	}
	return nil
}

func refOf(c Credential) map[string]any {
	base := c.Base()
	return map[string]any{"id": base.ID, "provider": base.Provider, "type": string(c.Type()), "title": base.Title}
}

func errorText(v any) string {
	if v == nil {
		return "Output error was None"
	}
	return Text(v)
}
