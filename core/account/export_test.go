package account

// Models gives the row types, for the test that compares them with the schema.
func Models() []any { return []any{&row{}, &deletionRow{}} }
