package fake

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

// runtimePort is where HAProxy's runtime socket listens.
const runtimePort = 9999

// runtime answers the commands of HAProxy's runtime socket that observers
// send: one line a connection, whose end ends the reply.
func (b *lb) runtime(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil {
				return
			}
			for command := range strings.SplitSeq(strings.TrimSpace(line), ";") {
				if _, err := conn.Write([]byte(b.answer(command))); err != nil {
					return
				}
			}
		}()
	}
}

// answer is the reply to one command.
func (b *lb) answer(command string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch command {
	case "show info":
		return fmt.Sprintf("Name: HAProxy\nPid: %d\nUptime_sec: %d\nCumReq: %d\nDroppedLogs: %d\n\n",
			b.pid, int(time.Since(b.began).Seconds()), b.lines, b.dropped)
	case "show stat -1 2 -1":
		current := 0
		for _, v := range b.views {
			current += v.current
		}
		return fmt.Sprintf("# pxname,svname,scur,qcur,\napp,BACKEND,%d,0,\n\n", current)
	case "show stat -1 4 -1":
		var s strings.Builder
		s.WriteString("# pxname,svname,scur,stot,status,weight,check_status,\n")
		for _, v := range b.views {
			status := "UP"
			if !v.up {
				status = "DOWN"
			}
			fmt.Fprintf(&s, "app,%s,%d,%d,%s,%d,L7OK,\n", v.n.Name(), v.current, v.total, status, v.weight)
		}
		return s.String() + "\n"
	}
	return "Unknown command.\n"
}
