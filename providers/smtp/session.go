package smtp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"agentserver/core"
)

// patience is how long the server may take for one step.
const patience = 30 * time.Second

// mailer is what all mails have in common.
type mailer struct {
	patience time.Duration
	roots    *x509.CertPool // of the certificates that count; nil for the system's
}

// allowedPorts are those of mail servers; others could reach anything.
var allowedPorts = []int{25, 465, 587, 2525}

// portTLS speaks TLS from the first byte on.
const portTLS = 465

// session is the handing in of one mail.
type session struct {
	mailer
	host               string
	port               int
	username, password string

	conn   *boundedConn
	client *smtp.Client
}

func newSession(m mailer, in *sendInput) (*session, error) {
	s := &session{
		mailer: m, host: strings.TrimSpace(in.Config.Host), port: 25,
		username: in.Credentials.Username.Reveal(), password: in.Credentials.Password.Reveal(),
	}
	if in.Config.Port != nil {
		s.port = *in.Config.Port
	}
	if !slices.Contains(allowedPorts, s.port) {
		return nil, core.Errorf(core.Invalid, "SMTP port %d is not allowed. Allowed ports: [25, 465, 587, 2525]", s.port)
	}
	return s, nil
}

// send connects, signs in and hands the mail in.
func (s *session) send(ctx context.Context, dialer core.Dialer, l *letter) error {
	if err := s.connect(ctx, dialer); err != nil {
		return err
	}
	defer func() { _ = s.conn.Close() }()
	// The end of the run breaks off whatever step the session is at.
	defer context.AfterFunc(ctx, func() { _ = s.conn.Close() })()
	for _, step := range []struct {
		stage stage
		do    func() error
	}{
		{stageGreeting, s.greet},
		{stageTLS, s.startTLS},
		{stageAuth, s.signIn},
		{stageSender, func() error { return s.client.Mail("<" + l.from + ">") }},
		{stageRecipient, func() error { return s.recipients(l.to) }},
		{stageData, func() error { return s.data(l) }},
	} {
		s.conn.allow(s.patience)
		if err := step.do(); err != nil {
			return s.explain(ctx, step.stage, err)
		}
	}
	s.conn.allow(s.patience)
	_ = s.client.Quit() // the mail is accepted; what the server says now changes nothing
	return nil
}

func (s *session) connect(ctx context.Context, dialer core.Dialer) error {
	limited, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	conn, err := dialer.DialContext(limited, "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return s.explain(ctx, stageDial, err)
	}
	s.conn = &boundedConn{Conn: conn, left: maxAnswers}
	return nil
}

func (s *session) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: s.host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
}

// greet reads the greeting and says hello, inside TLS where that comes first.
func (s *session) greet() error {
	var conn net.Conn = s.conn
	if s.port == portTLS {
		inside := tls.Client(s.conn, s.tlsConfig())
		if err := inside.Handshake(); err != nil {
			return &tlsError{err}
		}
		conn = inside
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return err
	}
	s.client = client
	return client.Hello("localhost")
}

// startTLS goes on inside TLS, unless it began there. Without it nothing secret
// may be sent.
func (s *session) startTLS() error {
	if s.port == portTLS {
		return nil
	}
	if offered, _ := s.client.Extension("STARTTLS"); !offered {
		return errNoTLS
	}
	return s.client.StartTLS(s.tlsConfig())
}

// signIn uses the first way that the server offers and that takes a password.
func (s *session) signIn() error {
	_, offered := s.client.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(ways, "PLAIN"):
		return s.client.Auth(smtp.PlainAuth("", s.username, s.password, s.host, false))
	case slices.Contains(ways, "LOGIN"):
		return s.client.Auth(smtp.LoginAuth(s.username, s.password, s.host, false))
	case slices.Contains(ways, "CRAM-MD5"):
		return s.client.Auth(smtp.CRAMMD5Auth(s.username, s.password))
	}
	return errNoAuth
}

func (s *session) recipients(list []string) error {
	for _, to := range list {
		s.conn.allow(s.patience)
		if err := s.client.Rcpt("<" + to + ">"); err != nil {
			return &recipientError{to, err}
		}
	}
	return nil
}

func (s *session) data(l *letter) error {
	w, err := s.client.Data()
	if err != nil {
		return err
	}
	s.conn.allow(s.patience)
	if _, err := l.msg.WriteTo(w); err != nil {
		return err
	}
	s.conn.allow(s.patience)
	return w.Close()
}
