package server_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
)

// An event must reach the client while the handler still runs.
func TestEventStreamsAreNotHeldBack(t *testing.T) {
	s := newSite(t, nil)
	received := make(chan struct{})
	s.GET("/events", func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(c.Response(), "data: one\n\n")
		c.Response().Flush()
		select {
		case <-received:
			fmt.Fprint(c.Response(), "data: two\n\n")
		case <-c.Request().Context().Done():
		}
		return nil
	})
	web := httptest.NewServer(s)
	defer web.Close()
	response, err := web.Client().Get(web.URL + "/events")
	require.NoError(t, err)
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	require.True(t, lines.Scan())
	require.Equal(t, "data: one", lines.Text())
	close(received)
	require.True(t, lines.Scan(), "the blank line")
	require.True(t, lines.Scan())
	require.Equal(t, "data: two", lines.Text())
}

// A handler can take over the connection, as WebSockets do.
func TestConnectionsCanBeTakenOver(t *testing.T) {
	s := newSite(t, nil)
	s.GET("/ws", func(c echo.Context) error {
		c.Response().WriteHeader(101)
		conn, _, err := c.Response().Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write([]byte("own protocol"))
		return err
	})
	web := httptest.NewServer(s)
	defer web.Close()
	conn, err := net.Dial("tcp", web.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nAccept-Encoding: gzip\r\n\r\n")
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	status, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 101 Switching Protocols\r\n", status)
	for line := ""; line != "\r\n"; {
		line, err = reader.ReadString('\n')
		require.NoError(t, err)
	}
	rest := make([]byte, len("own protocol"))
	_, err = reader.Read(rest)
	require.NoError(t, err)
	require.Equal(t, "own protocol", string(rest))
}
