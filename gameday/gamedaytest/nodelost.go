// Package gamedaytest has scripts that play the people of a drill.
package gamedaytest

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
)

// player is a script at a drill's shell.
type player struct {
	screen   *bufio.Reader
	keyboard io.Writer
	err      error
}

// until reads until it has seen what matches, and returns the groups.
func (p *player) until(pattern string) []string {
	re, got := regexp.MustCompile(pattern), []byte{}
	for p.err == nil {
		b, err := p.screen.ReadByte()
		if err != nil {
			p.err = fmt.Errorf("%q was never seen, but %q: %w", pattern, got, err)
			break
		}
		got = append(got, b)
		if m := re.FindSubmatch(got); m != nil {
			var out []string
			for _, g := range m {
				out = append(out, string(g))
			}
			return out
		}
	}
	return make([]string, re.NumSubexp()+1)
}

func (p *player) types(lines ...string) {
	for _, line := range lines {
		if p.err == nil {
			_, p.err = fmt.Fprintln(p.keyboard, line)
		}
	}
}

// NodeLost plays the operator of runbooks/node-lost.md: it waits for what it sees, as
// people do, and goes by what it has seen. It returns when the drill has been told
// that it is done; what follows on the screen is the caller's to read.
func NodeLost(screen io.Reader, keyboard io.Writer) error {
	p := &player{screen: bufio.NewReader(screen), keyboard: keyboard}
	p.until(`\*\*\* ALERT NodeDown`)
	p.types(
		":noticed the alert", ":on lb1", ":paste", "exec 3<>/dev/tcp/127.0.0.1/9999", `echo "show servers state nodes" >&3`,
		`awk '$2 == "nodes" && $6 == 0 && $7 == 0 { print "down:", $4, $5 }' <&3`, ":end",
	)
	node := p.until(`down: (\S+) \S+\n`)[1]
	p.types(":on "+node, `if [ -e /run/hachaos/java.pid ]; then echo there; else echo it is gone; fi`)
	p.until(`it is gone\n`)
	p.types(":cause the process of the node has ended", "app-start java")
	p.until(`java \d+\n`)
	p.types(
		":on lb1", ":paste", "for i in $(seq 60); do", "exec 3<>/dev/tcp/127.0.0.1/9999", `echo "show stat nodes 4 -1" >&3`,
		`awk -F, '/^nodes,/ && $18 !~ /^UP/' <&3 | grep -q . || break`, "sleep 1", "done", "echo all up", ":end",
	)
	p.until(`all up\n`)
	p.types(":done")
	return p.err
}
