package smtp

import (
	"context"
	"encoding/base64"
	"errors"
	"net"
	"net/mail"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
	"agentserver/core/coretest"
)

func TestProvider(t *testing.T) { coretest.Run(t, provider) }

const password = "p4ss-w0rd"

func mailInput(port int) core.Values {
	return core.Values{
		"to_email": "recipient@example.com", "subject": "Test Email", "body": "This is a test email.",
		"config": map[string]any{"smtp_server": "mail.example", "smtp_port": port},
		"credentials": core.UserPassword{
			CredentialBase: core.CredentialBase{Provider: "smtp"}, Username: "sender@example.com", Password: password,
		},
	}
}

// deliver runs the block with a server in place of the network.
func deliver(t *testing.T, ctx context.Context, dialer core.Dialer, m mailer, in core.Values) (status any, err error) { //nolint:revive // t comes first in tests
	t.Helper()
	if m.patience == 0 {
		m.patience = 10 * time.Second
	}
	b := newSendEmail(m)
	require.NoError(t, (&core.Registry{}).Add(&core.Provider{
		Name: "smtp", Title: "SMTP", Auth: []core.AuthMethod{core.UserPasswordAuth{}}, Blocks: []core.Block{b},
	}))
	err = core.Execute(ctx, b, &core.Run{Dial: dialer}, in, func(_ string, v any) error {
		status = v
		return nil
	})
	if err != nil {
		require.NotContains(t, err.Error(), password)
	}
	return status, err
}

func TestSends(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00sender@example.com\x00" + password))
	for _, c := range []struct {
		name     string
		port     int
		script   script
		commands []string
	}{
		{"STARTTLS on 25", 25, script{}, []string{
			"EHLO localhost", "STARTTLS", "+EHLO localhost", "+AUTH PLAIN " + plain,
			"+MAIL FROM:<sender@example.com> BODY=8BITMIME", "+RCPT TO:<recipient@example.com>", "+DATA", "+QUIT",
		}},
		{"TLS from the start on 465", 465, script{implicit: true}, []string{
			"+EHLO localhost", "+AUTH PLAIN " + plain,
			"+MAIL FROM:<sender@example.com> BODY=8BITMIME", "+RCPT TO:<recipient@example.com>", "+DATA", "+QUIT",
		}},
		{"LOGIN on 587", 587, script{auth: "XOAUTH2 LOGIN"}, []string{
			"EHLO localhost", "STARTTLS", "+EHLO localhost", "+AUTH LOGIN", "+sender@example.com", "+" + password,
			"+MAIL FROM:<sender@example.com> BODY=8BITMIME", "+RCPT TO:<recipient@example.com>", "+DATA", "+QUIT",
		}},
		{"a server that says no good-bye", 2525, script{answers: map[string]string{"QUIT": "hang up"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := newMailServer(t, c.script)
			status, err := deliver(t, t.Context(), server, mailer{roots: server.roots}, mailInput(c.port))
			require.NoError(t, err)
			require.Equal(t, "Email sent successfully", status)
			commands, message := server.state()
			if c.commands != nil {
				require.Equal(t, c.commands, commands)
			}
			msg, err := mail.ReadMessage(strings.NewReader(message))
			require.NoError(t, err)
			require.Equal(t, "<sender@example.com>", msg.Header.Get("From"))
			require.Equal(t, "<recipient@example.com>", msg.Header.Get("To"))
			require.Equal(t, "Test Email", msg.Header.Get("Subject"))
			require.Equal(t, "text/plain; charset=UTF-8", msg.Header.Get("Content-Type"))
			require.Contains(t, message, "\r\n\r\nThis is a test email.")
			require.Regexp(t, `^<[0-9a-f-]{36}@example\.com>$`, msg.Header.Get("Message-ID"))
			require.Empty(t, msg.Header.Get("User-Agent"))
		})
	}
}

func TestDefaultPortAndSeveralRecipients(t *testing.T) {
	server := newMailServer(t, script{})
	in := mailInput(0)
	in["config"] = map[string]any{"smtp_server": " mail.example "}
	in["to_email"] = `a@example.com, "B, C" <b@example.com>,`
	in["subject"], in["body"] = "Grüße", ".\r\nzwei\n.drei"
	_, err := deliver(t, t.Context(), server, mailer{roots: server.roots}, in)
	require.NoError(t, err)
	require.Equal(t, []string{"mail.example:25"}, server.dialed)
	commands, message := server.state()
	require.Contains(t, commands, "+RCPT TO:<a@example.com>")
	require.Contains(t, commands, "+RCPT TO:<b@example.com>")
	require.Contains(t, message, "Subject: =?UTF-8?")
}

func TestFailures(t *testing.T) {
	say := func(command, answer string) script { return script{answers: map[string]string{command: answer}} }
	for _, c := range []struct {
		name   string
		port   int
		script script
		want   string
	}{
		{"refused recipient", 25, say("RCPT TO:<recipient@example.com>", "550 no such user"), "Recipient email address 'recipient@example.com' was rejected by the server. Please verify the email address is valid."},
		{"refused sender", 25, say("MAIL", "553 not yours"), "Sender email address defined in the credentials that were used was rejected by the server. Please verify your account is authorized to send emails."},
		{"wrong password", 25, say("AUTH", "535 5.7.8 bad credentials"), "Authentication failed. Please verify your username and password are correct."},
		{"refused data", 25, say("DATA", "554 no"), "Email data rejected by server: 554 no"},
		{"refused message", 25, say(".", "552 too large"), "Email data rejected by server: 552 too large"},
		{"no STARTTLS", 25, script{noTLS: true}, "STARTTLS not supported by server 'mail.example'. Try using port 465 for SSL or port 25 for unencrypted connection."},
		{"STARTTLS refused", 25, say("STARTTLS", "454 later"), "SSL/TLS error when connecting to 'mail.example': 454 later. The server may require a different security protocol."},
		{"certificate of another host", 587, script{name: "other.example"}, "SSL/TLS error when connecting to 'mail.example': tls: failed to verify certificate"},
		{"certificate of another host on 465", 465, script{implicit: true, name: "other.example"}, "SSL/TLS error when connecting to 'mail.example': tls: failed to verify certificate"},
		{"plain server on 465", 465, script{}, "SSL/TLS error when connecting to 'mail.example': tls: first record does not look like a TLS handshake"},
		{"bad greeting", 25, say("", "554 go away"), "Cannot connect to SMTP server 'mail.example' on port 25."},
		{"no mail server", 25, say("", "HTTP/1.1 400 Bad Request"), "Cannot connect to SMTP server 'mail.example' on port 25."},
		{"dropped at once", 25, say("", "hang up"), "SMTP server 'mail.example' disconnected unexpectedly."},
		{"dropped later", 25, say("MAIL", "hang up"), "SMTP server 'mail.example' disconnected unexpectedly."},
		{"no way to sign in", 25, script{auth: "XOAUTH2"}, "SMTP server 'mail.example' does not let users sign in with a username and a password."},
		{"answer without an end", 25, say("", "endless"), "Cannot connect to SMTP server 'mail.example' on port 25."},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := newMailServer(t, c.script)
			status, err := deliver(t, t.Context(), server, mailer{roots: server.roots}, mailInput(c.port))
			require.ErrorContains(t, err, c.want)
			require.Nil(t, status)
			commands, message := server.state()
			require.Empty(t, message)
			for _, line := range commands {
				require.True(t, strings.HasPrefix(line, "+") || !strings.HasPrefix(line, "AUTH"), "a password in the clear: %s", line)
			}
		})
	}
}

func TestUntrustedCertificate(t *testing.T) {
	server := newMailServer(t, script{})
	_, err := deliver(t, t.Context(), server, mailer{}, mailInput(25)) // with the system's authorities
	require.ErrorContains(t, err, "SSL/TLS error when connecting to 'mail.example': tls: failed to verify certificate")
}

func TestSilentServer(t *testing.T) {
	for _, command := range []string{"", "STARTTLS", "AUTH", "."} {
		server := newMailServer(t, script{answers: map[string]string{command: "silence"}})
		_, err := deliver(t, t.Context(), server, mailer{patience: 200 * time.Millisecond, roots: server.roots}, mailInput(587))
		require.ErrorContains(t, err, "Connection timeout to 'mail.example' on port 587. The server may be down or unreachable.", "silent at %q", command)
	}
}

func TestRunEnds(t *testing.T) {
	server := newMailServer(t, script{answers: map[string]string{"MAIL": "silence"}})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for !server.got("+MAIL") {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := deliver(t, ctx, server, mailer{patience: time.Hour, roots: server.roots}, mailInput(25))
	require.ErrorIs(t, err, context.Canceled)
}

func (m *mailServer) got(prefix string) bool {
	commands, _ := m.state()
	return len(commands) > 0 && strings.HasPrefix(commands[len(commands)-1], prefix)
}

// noServer fails to connect.
type noServer struct{ err error }

func (n noServer) DialContext(context.Context, string, string) (net.Conn, error) { return nil, n.err }

func TestNoConnection(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	blocked := "Access to blocked or private IP address 127.0.0.1 for hostname localhost is not allowed."
	for _, c := range []struct {
		err  error
		want string
	}{
		{refused, "Connection refused to 'mail.example' on port 25. Common SMTP ports are: 587 (TLS), 465 (SSL), 25 (plain). Please verify the port is correct."},
		{&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, "Connection timeout to 'mail.example' on port 25. The server may be down or unreachable."},
		{errors.New("no route"), "Cannot connect to SMTP server 'mail.example'. Please verify the server address is correct."},
		{core.Errorf(core.Invalid, "%s", blocked), blocked},
		{core.Errorf(core.Invalid, "Unable to resolve IP address for hostname mail.example"), "Unable to resolve IP address for hostname mail.example"},
	} {
		_, err := deliver(t, t.Context(), noServer{c.err}, mailer{}, mailInput(25))
		require.ErrorContains(t, err, "with message: "+c.want)
	}
}
