package runbook

import (
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Hosts in a command.
var (
	authority  = regexp.MustCompile(`[a-z][a-z0-9+.-]*://([^\s/"'?#]+)`)
	userAtHost = regexp.MustCompile(`\b[A-Za-z0-9_][A-Za-z0-9_.-]*@([A-Za-z0-9][A-Za-z0-9.-]*)`)
	address    = regexp.MustCompile(`\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|\b[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}`)
)

// hosts asks whether a node, an address or a host is written out: it fits one
// installation, and one incident.
func (l *linter) hosts() {
	for line := l.book.doc.first; line <= l.book.doc.first+len(l.book.doc.ends); line++ {
		text := l.book.doc.lineText(line)
		for _, at := range address.FindAllStringIndex(text, -1) {
			if a := text[at[0]:at[1]]; isHost(a) && !inWord(text, at[0], at[1]) {
				l.find(line, "host", "the address %s is written out: capture it, or make it an input", a)
			}
		}
	}
	for _, r := range l.runs() {
		for _, c := range commandsOf(r.blocks) {
			if slices.Contains(l.known.Nodes, c.On) {
				l.find(c.Line, "host", "on=%s is one node: write its role, or a variable that names it, such as on=$node", c.On)
			}
			for i, text := range strings.Split(c.Text, "\n") {
				l.hostsOf(c.Line+1+i, text)
			}
			for _, call := range l.look(c).calls {
				if host := hostGiven(call); host != "" {
					l.hostIn(call.line, host)
				}
			}
			if c.Output == nil {
				continue
			}
			for i, o := range c.Output.Lines {
				l.nodesOf(c.Output.Line+1+i, o.Text)
			}
		}
	}
}

// hostsOf asks it of a line of a command.
func (l *linter) hostsOf(line int, text string) {
	for _, m := range authority.FindAllStringSubmatch(text, -1) {
		l.hostIn(line, m[1][strings.LastIndex(m[1], "@")+1:])
	}
	for _, m := range userAtHost.FindAllStringSubmatch(text, -1) {
		l.hostIn(line, m[1])
	}
	l.nodesOf(line, text)
}

// hostName is what a name of a host may be.
var hostName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)

// hostIn asks it of a host that may have a port. Addresses and nodes are asked
// for elsewhere.
func (l *linter) hostIn(line int, text string) {
	host, _, _ := strings.Cut(text, ":")
	host = strings.TrimRight(host, ".,;)")
	_, err := netip.ParseAddr(host)
	if err != nil && hostName.MatchString(host) && host != "localhost" && !slices.Contains(l.known.Nodes, host) {
		l.find(line, "host", "the host %s is written out: capture it, or make it an input", host)
	}
}

// reaches are the programs that are given a host: as a flag's value, or else as the
// first word, if one is. Of the other flags in values, the next word is no host.
var reaches = map[string]struct {
	flags  []string
	word   bool
	values string
}{
	"arping":     {word: true, values: "cIsw"},
	"dig":        {word: true, values: "bfkpqtxy"},
	"host":       {word: true, values: "ctRW"},
	"nc":         {word: true, values: "ipqswXx"},
	"nslookup":   {word: true},
	"pg_dump":    {flags: []string{"-h", "--host"}},
	"pg_isready": {flags: []string{"-h", "--host"}},
	"ping":       {word: true, values: "cIilmpQSstWw"},
	"psql":       {flags: []string{"-h", "--host"}},
	"redis-cli":  {flags: []string{"-h"}},
	"ssh":        {word: true, values: "BbcDEeFIiJLlmOopQRSWw"},
	"telnet":     {word: true, values: "lb"},
	"traceroute": {word: true, values: "fgimNpqsw"},
}

// hostGiven is the host that a call names; empty if it names none.
func hostGiven(c call) string {
	r, ok := reaches[path.Base(c.name)]
	if !ok {
		return ""
	}
	for i := 0; i < len(c.args); i++ {
		word := c.args[i]
		for _, f := range r.flags {
			value, given := strings.CutPrefix(word, f)
			switch {
			case !given:
			case value == "" && i+1 < len(c.args):
				return c.args[i+1]
			case strings.HasPrefix(f, "--"):
				return strings.TrimPrefix(value, "=")
			default:
				return value
			}
		}
		switch {
		case !r.word:
		case len(word) == 2 && word[0] == '-' && strings.Contains(r.values, word[1:]):
			i++
		case !strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "+"):
			return word[strings.LastIndex(word, "@")+1:]
		}
	}
	return ""
}

// nodeWord is a word that could be the name of a node.
var nodeWord = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9_.-]*`)

// nodesOf asks for names of nodes.
func (l *linter) nodesOf(line int, text string) {
	for _, word := range nodeWord.FindAllString(text, -1) {
		if slices.Contains(l.known.Nodes, word) {
			l.find(line, "host", "the node %s is written out: capture which one it is", word)
		}
	}
}

// inWord says whether what stands between two places of a text goes on before or
// after them, as the colons of SQL's id::date do.
func inWord(text string, from, to int) bool {
	return from > 0 && wordy(text[from-1]) || to < len(text) && wordy(text[to])
}

func wordy(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z'
}

// isHost says whether a text is an address that is another machine's.
func isHost(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && !a.IsLoopback() && !a.IsUnspecified()
}

// secretly are what secrets look like.
var secretly = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\b[a-z0-9_]*(?:password|passwd|secret|token|api_?key|access_?key)\s*=\s*["']?[^\s"'$<{*&;|)=][^\s"'$]{2,}`),
	regexp.MustCompile(`(?i)["'](?:password|passwd|secret|token|api_?key|access_?key)["']\s*:\s*["'][^"'$<{*][^"']+["']`),
	regexp.MustCompile(`://[^\s/:@"'$]+:[^\s/@"'$]+@`),
	regexp.MustCompile(`(?:^|\s)(?:-u|--user)[ =]?["']?[A-Za-z0-9_.-]+:[^\s"'$]+`),
	regexp.MustCompile(`(?i)\bpassword\s+'[^'$]+'`),
	regexp.MustCompile(`(?i)\bx-(?:api-key|auth-token):\s*[A-Za-z0-9._~+/=-]{8,}`),
	regexp.MustCompile(`(?i)\bauthorization:\s*(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}`),
	regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b|\bgh[opsu]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}|\bglpat-[A-Za-z0-9_-]{16,}|\bxox[abprs]-[A-Za-z0-9-]{10,}`),
	regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}`),
}

// secrets asks whether one is written out. What it is is not repeated.
func (l *linter) secrets() {
	for line := l.book.doc.first; line <= l.book.doc.first+len(l.book.doc.ends); line++ {
		text := l.book.doc.lineText(line)
		for _, s := range secretly {
			if s.MatchString(text) {
				l.find(line, "secret", "a secret is written out: make it an input, and change the one that stood here")
				break
			}
		}
	}
}
