package load

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// webSocket is a client's connection of RFC 6455, as far as short text
// messages need it: no extensions, no fragments. One goroutine may read while
// another writes.
type webSocket struct {
	conn net.Conn
	in   *bufio.Reader
	node string // who answered the handshake
}

// closed is the error of a connection that its peer closed with a close frame.
type closed struct {
	code   int // 1005 if the frame bore none (RFC 6455, 7.1.5)
	reason string
}

func (c closed) Error() string { return fmt.Sprintf("closed with %d %s", c.code, c.reason) }

// Opcodes and limits (RFC 6455, 5.2).
const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10

	finalFrame  = 0x80
	maskedFrame = 0x80
	length16    = 126
	length64    = 127
	noStatus    = 1005
	maxFrame    = 1 << 16
	acceptKey   = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// refusal is an answer to a handshake that is no upgrade.
type refusal struct{ status, node string }

func (r refusal) Error() string { return "no upgrade: " + r.status }

// dialWebSocket opens a connection within ctx, whose end also ends the
// connection.
func dialWebSocket(ctx context.Context, t Target, u *url.URL) (*webSocket, error) {
	dial := t.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", hostPort(u))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	w := &webSocket{conn: conn, in: bufio.NewReader(conn)}
	if err := w.shake(u); err != nil {
		stop()
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return u.Host
}

// shake is the opening handshake (RFC 6455, 4.1).
func (w *webSocket) shake(u *url.URL) error {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails: crypto/rand
	key := base64.StdEncoding.EncodeToString(nonce)
	r := &http.Request{
		Method: http.MethodGet, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"},
			"Sec-WebSocket-Version": {"13"}, "Sec-WebSocket-Key": {key},
		},
	}
	if err := r.Write(w.conn); err != nil {
		return err
	}
	resp, err := http.ReadResponse(w.in, r)
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(key + acceptKey))
	w.node = resp.Header.Get(nodeHeader)
	if resp.StatusCode != http.StatusSwitchingProtocols ||
		resp.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return refusal{resp.Status, w.node}
	}
	return nil
}

// write sends a frame. A client masks what it sends (RFC 6455, 5.3).
func (w *webSocket) write(opcode byte, payload []byte) error {
	if len(payload) >= length16 {
		return fmt.Errorf("a message of %d bytes: at most %d", len(payload), length16-1)
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails: crypto/rand
	frame := append([]byte{finalFrame | opcode, maskedFrame | byte(len(payload))}, mask[:]...)
	for i, b := range payload {
		frame = append(frame, b^mask[i%4])
	}
	_, err := w.conn.Write(frame)
	return err
}

// read returns the next text message; it answers pings. The error is a closed
// if the peer closed in order.
func (w *webSocket) read() (string, error) {
	for {
		opcode, payload, err := w.frame()
		if err != nil {
			return "", err
		}
		switch opcode {
		case opText:
			return string(payload), nil
		case opPing:
			if err := w.write(opPong, payload); err != nil {
				return "", err
			}
		case opClose:
			c := closed{code: noStatus}
			if len(payload) >= 2 {
				c.code, c.reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
			}
			_ = w.write(opClose, payload[:min(2, len(payload))]) // it is closed in any case
			return "", c
		}
	}
}

// frame reads one frame of a server, which is not masked.
func (w *webSocket) frame() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	more := map[uint64]int{length16: 2, length64: 8}[size]
	if more > 0 {
		var long [8]byte
		if _, err := io.ReadFull(w.in, long[8-more:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(long[:])
	}
	if head[0]&finalFrame == 0 || head[1]&maskedFrame != 0 || size > maxFrame {
		return 0, nil, fmt.Errorf("a frame that this client does not know: % x", head)
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(w.in, payload)
	return head[0] & 0x0f, payload, err
}

func (w *webSocket) close() { _ = w.conn.Close() }
