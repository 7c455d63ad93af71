package builtin

import (
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"

	"agentserver/core"
)

// encoding is that of the GPT-4o family. Its tables take time and memory to
// build, so they are built at the first use.
var encoding = sync.OnceValue(codec.NewO200kBase)

// countTokens counts the tokens of a text, or of a value's JSON text.
func countTokens(v any) (int, error) {
	n, err := encoding().Count(core.Text(v))
	if err != nil {
		return 0, core.Errorf(core.Invalid, "counting tokens: %w", err)
	}
	return n, nil
}
