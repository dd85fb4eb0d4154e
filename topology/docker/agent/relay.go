package agent

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"
)

// RelayPort is where the relay listens inside its container.
const RelayPort = 3128

// connectVerb begins a connection that names its target; see DialThrough.
const connectVerb = "HACHAOS-CONNECT "

// relay carries TCP connections into a network that the host has no route to.
type relay struct {
	to    string       // target of a connection that names none
	allow netip.Prefix // targets that a connection may name
}

// runRelay serves until ctx ends. A connection that begins with
// "HACHAOS-CONNECT host:port\n" is answered with "ok\n", or "no: reason\n" (if
// it was refused, "refused: reason\n") and the end, and joined to that target, which must lie in -allow; any other is
// joined to -to as it is.
func runRelay(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(Relay, flag.ContinueOnError)
	listen := flags.String("listen", fmt.Sprintf(":%d", RelayPort), "address to listen on")
	to := flags.String("to", "", "target of a connection that names none")
	allow := flags.String("allow", "", "network of the targets that may be named")
	if err := flags.Parse(args); err != nil {
		return err
	}
	network, err := netip.ParsePrefix(*allow)
	if err != nil {
		return fmt.Errorf("-allow: %w", err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	return relay{to: *to, allow: network}.serve(ctx, listener)
}

func (r relay) serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		go r.carry(ctx, conn)
	}
}

func (r relay) carry(ctx context.Context, client net.Conn) {
	defer client.Close()
	in := bufio.NewReader(client)
	target, named, err := r.target(in)
	var server net.Conn
	if err == nil {
		dialer := net.Dialer{Timeout: 10 * time.Second}
		server, err = dialer.DialContext(ctx, "tcp", target)
	}
	if err != nil {
		if named {
			verdict := no
			if errors.Is(err, syscall.ECONNREFUSED) {
				verdict = refused
			}
			fmt.Fprintf(client, "%s%s\n", verdict, strings.ReplaceAll(err.Error(), "\n", " "))
		}
		return
	}
	defer server.Close()
	if named {
		if _, err := io.WriteString(client, "ok\n"); err != nil {
			return
		}
	}
	join(client, in, server)
}

// target reads where the connection wants to go, without blocking on clients
// whose first bytes differ from the verb.
func (r relay) target(in *bufio.Reader) (address string, named bool, err error) {
	for n := 1; n <= len(connectVerb); n++ {
		head, err := in.Peek(n)
		if err != nil || string(head) != connectVerb[:n] {
			return r.to, false, nil
		}
	}
	line, err := in.ReadString('\n')
	if err != nil {
		return "", true, err
	}
	address = strings.TrimSpace(strings.TrimPrefix(line, connectVerb))
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return "", true, err
	}
	if !r.allow.Contains(target.Addr()) {
		return "", true, fmt.Errorf("%s is outside %s", target, r.allow)
	}
	return address, true, nil
}

// join copies both ways until both ends are done, and passes on each side's
// end of stream by itself.
func join(client net.Conn, in io.Reader, server net.Conn) {
	var both sync.WaitGroup
	both.Go(func() { copyThenClose(server, in) })
	both.Go(func() { copyThenClose(client, server) })
	both.Wait()
}

func copyThenClose(to net.Conn, from io.Reader) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// What a relay's reply begins with where it reached no target: one that refused
// the connection is told apart, since it is there.
const (
	no      = "no: "
	refused = "refused: "
)

// DialThrough opens a connection to target ("198.18.7.100:80") through the
// relay at address. A target that the relay does not reach is an error; if it
// refused the connection, the error wraps syscall.ECONNREFUSED, which no other
// does.
func DialThrough(ctx context.Context, address, target string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("relay: %v", err) // a refusal by the relay is none by the target
	}
	if err := negotiate(ctx, conn, target); err != nil {
		conn.Close()
		return nil, fmt.Errorf("relay to %s: %w", target, err)
	}
	return conn, nil
}

func negotiate(ctx context.Context, conn net.Conn, target string) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := io.WriteString(conn, connectVerb+target+"\n"); err != nil {
		return err
	}
	reply, err := readLine(conn)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case reply == "ok":
		return nil
	}
	if why, is := strings.CutPrefix(reply, refused); is {
		return fmt.Errorf("%s: %w", why, syscall.ECONNREFUSED)
	}
	return errors.New(strings.TrimPrefix(reply, no))
}

// readLine reads byte by byte, so that nothing behind the line is lost.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, one); err != nil {
			return "", err
		}
		if one[0] == '\n' {
			return string(line), nil
		}
		line = append(line, one[0])
	}
}
