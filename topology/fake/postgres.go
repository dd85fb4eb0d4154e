package fake

import "net"

// postgres answers whatever it is sent with one letter, as PostgreSQL does a
// request for TLS. What the applications keep is in the store.
type postgres struct{ listener net.Listener }

func newPostgres(n *node) postgres {
	p := postgres{n.host.listen(n.spec.Port)}
	go p.serve()
	return p
}

func (p postgres) serve() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for request := make([]byte, 512); ; {
				if _, err := conn.Read(request); err != nil {
					return
				}
				if _, err := conn.Write([]byte("N")); err != nil {
					return
				}
			}
		}()
	}
}

func (p postgres) stop() { p.listener.Close() }
