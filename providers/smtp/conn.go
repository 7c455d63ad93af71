package smtp

import (
	"errors"
	"net"
	"time"
)

// maxAnswers bounds what a server may say in a session, in bytes: a line of an
// answer has no end of its own.
const maxAnswers = 1 << 20

var errTalkative = errors.New("the server sends too much")

// boundedConn stops reading after a number of bytes.
type boundedConn struct {
	net.Conn
	left int
}

// allow gives the next step its time. If the connection is gone, the step says so.
func (c *boundedConn) allow(d time.Duration) { _ = c.SetDeadline(time.Now().Add(d)) }

// Read implements [net.Conn].
func (c *boundedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTalkative
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}
