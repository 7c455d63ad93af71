package workspace

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"agentserver/core"
)

const (
	scanTimeout = time.Minute
	// scanChunk is what one part of a stream to the scanner holds.
	scanChunk = 64 << 10
	// maxScans bounds the scans of a process at a time.
	maxScans = 10
)

// Scanner has files looked at by ClamAV's daemon, by its INSTREAM command. A nil
// Scanner finds nothing.
type Scanner struct {
	address string
	slots   chan struct{}
}

// NewScanner makes a scanner that asks the daemon at an address, host:port; nil
// without an address.
func NewScanner(address string) *Scanner {
	if address == "" {
		return nil
	}
	return &Scanner{address: address, slots: make(chan struct{}, maxScans)}
}

// Scan looks at a file. Its errors are of kind Invalid: a virus, or a scan that
// failed.
func (s *Scanner) Scan(ctx context.Context, file string) error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, scanTimeout)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	verdict, err := s.ask(ctx, file)
	if err != nil {
		return core.Errorf(core.Invalid, "Virus scanning failed: %w", err)
	}
	verdict = strings.TrimSpace(strings.TrimPrefix(strings.TrimRight(verdict, "\x00\n"), "stream:"))
	threat, found := strings.CutSuffix(verdict, "FOUND")
	switch {
	case verdict == "OK":
		return nil
	case !found:
		return core.Errorf(core.Invalid, "Virus scanning failed: the scanner says %q", verdict)
	}
	if threat = strings.TrimSpace(threat); threat == "" {
		threat = "Unknown threat"
	}
	return core.Errorf(core.Invalid, "File rejected due to virus detection: %s", threat)
}

// ask sends the file and gives the daemon's answer.
func (s *Scanner) ask(ctx context.Context, file string) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return "", fmt.Errorf("the scanner cannot be reached: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	sendErr := stream(conn, in)
	// A daemon that has seen enough answers before the stream ends.
	answer, err := bufio.NewReader(io.LimitReader(conn, 4096)).ReadString(0)
	if err != nil && !(errors.Is(err, io.EOF) && answer != "") {
		return "", errors.Join(sendErr, err)
	}
	return answer, nil
}

// stream sends content in parts, each with its length before it, and a part of
// no length at the end.
func stream(to io.Writer, from io.Reader) error {
	if _, err := io.WriteString(to, "zINSTREAM\x00"); err != nil {
		return err
	}
	buf := make([]byte, 4+scanChunk)
	for {
		n, err := from.Read(buf[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			if _, err := to.Write(buf[:4+n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			_, err := to.Write([]byte{0, 0, 0, 0})
			return err
		}
		if err != nil {
			return err
		}
	}
}
