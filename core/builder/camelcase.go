package builder

import (
	"strings"
	"unicode"
)

// joined puts names together again that are written with capitals inside.
var joined = strings.NewReplacer("Auto GPT", "AutoGPT", "Auto Pilot", "AutoPilot", "Open AI", "OpenAI",
	"You Tube", "YouTube", "Git Hub", "GitHub", "Linked In", "LinkedIn")

// SplitCamel parts the words of a block's name: "AITextGeneratorBlock" becomes
// "AI Text Generator Block".
func SplitCamel(name string) string {
	r := []rune(name)
	var b strings.Builder
	for i, c := range r {
		if i > 0 && unicode.IsUpper(c) && startsWord(r, i) {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return joined.Replace(b.String())
}

// startsWord reports whether the capital at i begins a word: it follows a small
// letter or a digit, or it is the last of three or more and a small letter
// follows.
func startsWord(r []rune, i int) bool {
	if unicode.IsLower(r[i-1]) || unicode.IsDigit(r[i-1]) {
		return true
	}
	return i > 1 && i+1 < len(r) && unicode.IsLower(r[i+1]) && unicode.IsUpper(r[i-1]) && unicode.IsUpper(r[i-2])
}
