package credential

// Models gives the row types, for the test that compares them with the schema.
func Models() []any { return []any{&row{}, &keyRow{}, &stateRow{}} }

// ResealBatch is how many rows Reseal does at a time.
const ResealBatch = resealBatch
