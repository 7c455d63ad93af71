package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fernet/fernet-go"
	"github.com/stretchr/testify/require"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
)

// sampleKey is the published example key of the AutoGPT Platform, and
// sampleToken a record of its documentation of the format.
const (
	sampleKey   = "dvziYgz0KSK8FENhju0ZYi8-fRTfAdlz6YLhdB_jhNw="
	sampleToken = "gAAAAABlU_EAAAECAwQFBgcICQoLDA0OD8fSjzrPNeKsjXXoJd1AXxTTrvqHoaRm0zzQMEfJrEqzSiIJxVXp7euGd_Cb7BR05S-m-5YBhWWbpJDXbf4mDkPfE97jh0tQphP564G58KgwvneKDvM_nhLhtPQ0p2yton_mLPYRegdDQMU-vqvOfXemWy7Q_0gyE1BWxUYq0FXHdy6H8A3Z1zOej_2KS9I_0_WND8YG724EJAwQ1UywFE-4Z6CMh4psKvHgPP-eLXM2ubTS8QkrTRAOoVT0hbrE5A_oRmlEdc6Lj6C4RHZm7_NYhA4XFeyfP1yoguse20kQ3I83JnVNd_HeTHKa84jAMk48OSUbDY5FlrQgn7OZ4Lk="
)

// sealedRecord seals the content of a record as the AutoGPT Platform does.
func sealedRecord(t *testing.T, content string) string {
	t.Helper()
	key, err := fernet.DecodeKey(sampleKey)
	require.NoError(t, err)
	sealed, err := fernet.EncryptAndSign([]byte(content), key)
	require.NoError(t, err)
	return string(sealed)
}

// apiKeyEntry is a credential in a record.
func apiKeyEntry(id, secret string) string {
	return fmt.Sprintf(`{"id":%q,"provider":"openai","type":"api_key","title":"Key %s","api_key":%q}`, id, id, secret)
}

// csvFile writes rows as a program that exports tables does.
func csvFile(t *testing.T, dir string, rows ...[]string) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, csv.NewWriter(&b).WriteAll(rows))
	return writeFile(t, dir, "users.csv", b.Bytes())
}

// importKeyVariable puts the key where the command looks for it.
var importKeyVariable = []string{"AGENTSERVER_IMPORT_KEY=" + sampleKey}

// testUser is the user of the tokens of [serving].
var testUser = userID("test@example.com")

// credentialIDs gives the ids of the user's credentials, in order.
func (a *api) credentialIDs() []string {
	var list []struct{ ID string }
	a.call("GET", "/api/integrations/credentials", nil, &list)
	var ids []string
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestImportCredentials(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := `{"managed_credentials":{"ayrshare_profile_key":"canary"},"credentials":[`
	for i := range 6 {
		large += apiKeyEntry(fmt.Sprintf("large-%d", i), strings.Repeat("canary", 10_000)) + ","
	}
	large += `{"id":"invalid","provider":"openai","type":"api_key","api_key":{"canary":1}},` +
		apiKeyEntry("openai-default", "canary") + `,` + apiKeyEntry("last", "canary") + `]}`
	large = strings.Replace(large, "]}", `],"oauth_states":["`+strings.Repeat("state", 150_000)+`"]}`, 1)
	token := sealedRecord(t, large)
	require.Greater(t, len(token), 1<<20)
	file := csvFile(t, dir,
		[]string{"email", "integrations", "name", "id"},
		[]string{"a@example.com", sampleToken, `Ada "the, first"` + "\nLovelace", testUser},
		[]string{"b@example.com", "", "", "user-without"},
		[]string{"c@example.com", token, "", "user-large"},
		[]string{"d@example.com", "canary", "", "user-damaged"},
		[]string{"e@example.com", sealedRecord(t, `["canary"]`), "", "user-odd"},
		[]string{"f@example.com", sealedRecord(t, `{"credentials":[`+apiKeyEntry("x", "canary")+`]}`), "", ""},
		[]string{"g@example.com", sealedRecord(t, `{"credentials":[`+apiKeyEntry("y", "canary")+`]}`), "", "user-last"},
	)

	out, stderr, code := output(t, dir, importKeyVariable, "import", "credentials", "--file", file, "--dry-run")
	require.Equal(t, 1, code)
	require.Contains(t, out, "\nusers: 7, would be imported: 9, already there: 0, skipped: 1, failed: 4\n")
	require.NotContains(t, stderr, "canary")

	out, stderr, code = output(t, dir, importKeyVariable, "import", "credentials", "--file", file)
	require.Equal(t, 1, code)
	require.Equal(t, "profile keys of Ayrshare, left behind because there is no such provider here: 1\n"+
		"users: 7, imported: 9, already there: 0, skipped: 1, failed: 4\n", out)
	require.Equal(t, []string{
		`user "user-large", credential "openai-default" is skipped: it is the operator's, which comes from the settings here`,
		`user "user-large", credential "invalid": api_key has the wrong type`,
		`user "user-damaged": it does not open: it is damaged, or another key sealed it`,
		`user "user-odd": it opens, and its content is not what the AutoGPT Platform writes`,
		`user "": importing credentials: the id of the user is empty, too long or has control characters`,
		`agentserver: not everything could be imported; the lines above say what, and why`,
	}, nonEmptyLines(stderr))
	require.NotContains(t, stderr, "canary")

	server, a := serving(t, dir, freeAddress(t))
	require.Equal(t, []string{"cred-123"}, a.credentialIDs())
	_, stderr, code = output(t, dir, importKeyVariable, "import", "credentials", "--file", file)
	require.Equal(t, 1, code)
	requireOneLine(t, stderr, "in use by another agentserver process", "stop it")
	require.Zero(t, server.stop())

	before := storedRows(t, db.Options{DataDir: dir + "/data"})
	require.Len(t, before, 9)
	out, _, code = output(t, dir, importKeyVariable, "import", "credentials", "--file", file)
	require.Equal(t, 1, code)
	require.Contains(t, out, "users: 7, imported: 0, already there: 9, skipped: 1, failed: 4\n")
	require.Equal(t, before, storedRows(t, db.Options{DataDir: dir + "/data"}), "a second import changes nothing")
}

func nonEmptyLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		// What the migration says is in the form of the log.
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "time=") {
			lines = append(lines, line)
		}
	}
	return lines
}

// storedRows gives the table of credentials, while no server runs.
func storedRows(t *testing.T, o db.Options) []map[string]any {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	d, err := db.Open(t.Context(), o)
	require.NoError(t, err)
	defer d.Close()
	var rows []map[string]any
	require.NoError(t, d.Read.Table("credentials").Order("user_id, id").Find(&rows).Error)
	return rows
}

// An import without trouble ends well, with the key from a file and the rows
// from standard input.
func TestImportCredentialsFromStandardInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var rows strings.Builder
	rows.WriteString("\uFEFFid,integrations\r\n" + testUser + ",\"" + sampleToken + "\"\r\n")
	for i := range 1000 {
		fmt.Fprintf(&rows, "user-%d,\"\"\r\n", i)
	}
	key := writeFile(t, dir, "old.key", []byte(sampleKey+"\n"))
	cmd := command(t, dir, []string{"AGENTSERVER_IMPORT_KEY=not a key"}, "import", "credentials", "--file", "-", "--key-file", key)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(rows.String()), &out, &errs
	require.NoError(t, cmd.Run(), "%s", &errs)
	require.Equal(t, "users: 1001, imported: 1, already there: 0, skipped: 0, failed: 0\n", out.String())
	require.Equal(t, []string{"1000 users done"}, nonEmptyLines(errs.String()))
	_, a := serving(t, dir, freeAddress(t), "AGENTSERVER_IMPORT_KEY="+sampleKey)
	require.Equal(t, []string{"cred-123"}, a.credentialIDs(), "a variable that is left set keeps no server from starting")
}

// Lines of a damaged file are told by their number, and the others are imported.
func TestImportCredentialsFromDamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := writeFile(t, dir, "users.csv", []byte("id,integrations\nu1,"+sampleToken+"\nu2\nu3,a\"canary\"b\nu4,"+sampleToken+",extra\nu5,"+sampleToken+"\nu6,\"canary\n"))
	out, stderr, code := output(t, dir, importKeyVariable, "import", "credentials", "--file", file)
	require.Equal(t, 1, code)
	require.Equal(t, "users: 2, imported: 2, already there: 0, skipped: 0, failed: 4\n", out)
	require.Equal(t, []string{
		"line 3 of the CSV file: wrong number of fields",
		`line 4 of the CSV file: bare " in non-quoted-field`,
		"line 5 of the CSV file: wrong number of fields",
		`line 7 of the CSV file: extraneous or missing " in quoted-field`,
		`agentserver: not everything could be imported; the lines above say what, and why`,
	}, nonEmptyLines(stderr))
}

func TestImportCredentialsWithAnotherKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := csvFile(t, dir, []string{"id", "integrations"}, []string{"u1", sampleToken}, []string{"u2", sampleToken})
	out, stderr, code := output(t, dir, []string{"AGENTSERVER_IMPORT_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
		"import", "credentials", "--file", file)
	require.Equal(t, 1, code)
	require.Equal(t, "users: 2, imported: 0, already there: 0, skipped: 0, failed: 2\n", out)
	require.Equal(t, 2, strings.Count(stderr, "it does not open"))
	require.Empty(t, storedRows(t, db.Options{DataDir: dir + "/data"}))
}

// The address of the database is in the form that Prisma has.
func TestImportCredentialsFromPostgres(t *testing.T) {
	t.Parallel()
	source := dbtest.PostgresURL(t) + "&connection_limit=5"
	d, err := db.Open(t.Context(), db.Options{URL: source, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	schema := source[strings.Index(source, "schema=")+len("schema="):]
	schema, _, _ = strings.Cut(schema, "&")
	for _, statement := range []string{
		"CREATE SCHEMA " + schema,
		`CREATE TABLE "User" (id text PRIMARY KEY, email text, integrations text)`,
	} {
		require.NoError(t, d.Write.Exec(statement).Error)
	}
	for id, integrations := range map[string]any{testUser: sampleToken, "u-null": nil, "u-empty": "", "u-damaged": "canary"} {
		require.NoError(t, d.Write.Exec(`INSERT INTO "User" (id, integrations) VALUES (?, ?)`, id, integrations).Error)
	}
	for name, target := range map[string][]string{"to sqlite": nil, "to postgres": {"DATABASE_URL=" + dbtest.PostgresURL(t)}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			env := append([]string{importKeyVariable[0]}, target...)
			for _, want := range []string{"imported: 1, already there: 0", "imported: 0, already there: 1"} {
				out, stderr, code := output(t, dir, env, "import", "credentials", "--from", source)
				require.Equal(t, 1, code)
				require.Equal(t, "users: 4, "+want+", skipped: 0, failed: 1\n", out, "%s", stderr)
				require.Contains(t, stderr, `user "u-damaged": it does not open`)
			}
			// With Postgres, servers may run meanwhile.
			_, a := serving(t, dir, freeAddress(t), target...)
			require.Equal(t, []string{"cred-123"}, a.credentialIDs())
			if target != nil {
				_, _, code := output(t, dir, env, "import", "credentials", "--from", source)
				require.Equal(t, 1, code)
			}
		})
	}
	_, stderr, code := output(t, t.TempDir(), importKeyVariable, "import", "credentials", "--from", dbtest.PostgresURL(t))
	require.Equal(t, 1, code)
	require.Contains(t, stderr, `reading the table of users`)
	require.Contains(t, stderr, `"User" does not exist`)
}

func TestImportCredentialsRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := csvFile(t, dir, []string{"id", "integrations"}, []string{"u1", sampleToken})
	odd := writeFile(t, dir, "odd.csv", []byte("user,blob\nu1,canary\n"))
	empty := writeFile(t, dir, "empty", nil)
	for name, c := range map[string]struct {
		env, args, want []string
	}{
		"no source":          {importKeyVariable, nil, []string{"file", "from"}},
		"two sources":        {importKeyVariable, []string{"--file", file, "--from", "postgres://x/y"}, []string{"file", "from"}},
		"empty source":       {importKeyVariable, []string{"--file", ""}, []string{"--file"}},
		"no key":             {nil, []string{"--file", file}, []string{"AGENTSERVER_IMPORT_KEY", "--key-file"}},
		"empty key file":     {importKeyVariable, []string{"--file", file, "--key-file", empty}, []string{"AGENTSERVER_IMPORT_KEY", "--key-file"}},
		"missing key file":   {importKeyVariable, []string{"--file", file, "--key-file", "missing.key"}, []string{"reading the key", "missing.key"}},
		"key that is none":   {[]string{"AGENTSERVER_IMPORT_KEY=key-canary"}, []string{"--file", file}, []string{"32 bytes in base64"}},
		"key as an argument": {nil, []string{"--file", file, "--key", "key-canary"}, []string{"unknown flag: --key"}},
		"missing file":       {importKeyVariable, []string{"--file", "missing.csv"}, []string{"opening the CSV file", "missing.csv"}},
		"another database":   {importKeyVariable, []string{"--from", "mysql://u:key-canary@h/d"}, []string{"postgres://"}},
	} {
		dir := t.TempDir()
		stdout, stderr, code := output(t, dir, c.env, append([]string{"import", "credentials"}, c.args...)...)
		require.Equal(t, 1, code, name)
		require.Empty(t, stdout, name)
		requireOneLine(t, stderr, c.want...)
		require.NotContains(t, stderr, "key-canary", name)
		require.NoDirExists(t, dir+"/data", "%s: something was written", name)
	}
	for name, file := range map[string]string{"another header": odd, "empty file": empty} {
		stdout, stderr, code := output(t, dir, importKeyVariable, "import", "credentials", "--file", file)
		require.Equal(t, 1, code, name)
		require.Contains(t, stdout, "users: 0, imported: 0", name)
		require.Contains(t, stderr, "does not name the columns id and integrations", name)
		require.NotContains(t, stderr, "canary")
	}
}

// Accounts that were deleted here do not come back.
func TestImportSkipsDeletedAccounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, stderr, code := output(t, dir, nil, "migrate")
	require.Zero(t, code, "%s", stderr)
	d := openDatabase(t, db.Options{DataDir: filepath.Join(dir, "data")})
	for _, user := range []string{"gone", "back"} {
		require.NoError(t, d.Write.Exec("INSERT INTO account_deletions (id, user_id, email, requested_by, requested_at, state, steps, attempts, finished_at) VALUES (?, ?, '', 'cli', ?, 'finished', '[]', 1, ?)",
			user, user, db.Now(), db.Now()).Error)
	}
	require.NoError(t, d.Write.Exec("INSERT INTO users (id, email, created_at, updated_at) VALUES ('back', 'back@example.com', ?, ?)", db.Now(), db.Now()).Error)
	require.NoError(t, d.Close())
	file := csvFile(t, dir, []string{"id", "integrations"}, []string{"gone", sampleToken}, []string{"back", sampleToken})
	stdout, stderr, code := output(t, dir, importKeyVariable, "import", "credentials", "--file", file)
	require.Zero(t, code, "%s", stderr)
	require.Contains(t, stderr, `user "gone" is skipped: the account was deleted here`)
	require.Equal(t, "users: 2, imported: 1, already there: 0, skipped: 1, failed: 0\n", stdout)
}
