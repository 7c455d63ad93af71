package smtp

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// script is how a mail server behaves. Answers are by command, in place of the
// usual ones; the command "" is the greeting. The answer "silence" is none, and
// "hang up" closes the connection.
type script struct {
	answers  map[string]string
	implicit bool   // TLS from the start
	name     string // in the certificate, mail.example unless set
	noTLS    bool   // no STARTTLS
	auth     string // "PLAIN" unless set
}

// mailServer is a mail server for tests, and the dialer that leads to it.
type mailServer struct {
	script
	address string
	config  *tls.Config
	roots   *x509.CertPool

	mu       sync.Mutex
	dialed   []string
	commands []string // what came over TLS is marked with a +
	message  string
}

func newMailServer(t *testing.T, s script) *mailServer {
	t.Helper()
	if s.name == "" {
		s.name = "mail.example"
	}
	if s.auth == "" {
		s.auth = "PLAIN"
	}
	m := &mailServer{script: s}
	m.config, m.roots = certificate(t, s.name)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m.address = l.Addr().String()
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { m.serve(conn) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); served.Wait() })
	return m
}

// certificate makes one for a name, of an authority of its own.
func certificate(t *testing.T, name string) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test"}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

// DialContext leads to the server, whatever the address.
func (m *mailServer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	m.mu.Lock()
	m.dialed = append(m.dialed, address)
	m.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, m.address)
}

func (m *mailServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	secure := m.implicit
	if secure {
		conn = tls.Server(conn, m.config)
	}
	in := bufio.NewReader(conn)
	if !m.say(conn, in, "", "220 mail.example ready") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		mark := ""
		if secure {
			mark = "+"
		}
		m.mu.Lock()
		m.commands = append(m.commands, mark+line)
		m.mu.Unlock()
		command, _, _ := strings.Cut(strings.ToUpper(line), " ")
		usual := "250 ok"
		switch command {
		case "EHLO":
			usual = "250-mail.example\r\n250-AUTH " + m.auth + "\r\n250 8BITMIME"
			if !m.noTLS && !secure {
				usual = "250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME"
			}
		case "STARTTLS":
			usual = "220 go"
		case "AUTH":
			usual = "235 welcome"
			if strings.HasPrefix(line, "AUTH LOGIN") {
				usual = m.login(conn, in)
			}
		case "DATA":
			usual = "354 go on"
		case "QUIT":
			usual = "221 bye"
		}
		if command == "RCPT" {
			command = line // answers are by recipient
		}
		if !m.say(conn, in, command, usual) {
			return
		}
		switch {
		case command == "STARTTLS" && m.answers[command] == "":
			conn = tls.Server(conn, m.config)
			in, secure = bufio.NewReader(conn), true
		case command == "DATA" && m.answers[command] == "":
			if !m.receive(in) || !m.say(conn, in, ".", "250 queued") {
				return
			}
		case command == "QUIT":
			return
		}
	}
}

// state gives the commands and the accepted message so far.
func (m *mailServer) state() (commands []string, message string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.commands), m.message
}

// login takes a name and a password in two steps.
func (m *mailServer) login(conn net.Conn, in *bufio.Reader) string {
	for _, prompt := range []string{"Username:", "Password:"} {
		_, _ = fmt.Fprintf(conn, "334 %s\r\n", base64.StdEncoding.EncodeToString([]byte(prompt)))
		line, _ := in.ReadString('\n')
		text, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
		m.mu.Lock()
		m.commands = append(m.commands, "+"+string(text))
		m.mu.Unlock()
	}
	return "235 welcome"
}

func (m *mailServer) say(conn net.Conn, in *bufio.Reader, command, usual string) bool {
	answer, ok := m.answers[command]
	if !ok {
		answer = usual
	}
	switch answer {
	case "hang up":
		return false
	case "silence":
		_, _ = in.ReadByte() // until the client gives up
		return false
	case "endless":
		for {
			if _, err := conn.Write([]byte(strings.Repeat("x", 64<<10))); err != nil {
				return false
			}
		}
	}
	_, err := fmt.Fprintf(conn, "%s\r\n", answer)
	return err == nil
}

func (m *mailServer) receive(in *bufio.Reader) bool {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			m.mu.Lock()
			if m.answers["."] == "" {
				m.message = b.String()
			}
			m.mu.Unlock()
			return true
		}
		b.WriteString(line)
	}
}
