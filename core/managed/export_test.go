package managed

// Models gives the row types, for the test that compares them with the schema.
func Models() []any { return []any{&task{}} }

// MaxAttempts is after how many failures provisioning rests.
const MaxAttempts = maxAttempts
