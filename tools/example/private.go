package main

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/user"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// What a run's folder must not hold: where somebody's files are, addresses of
// hardware, and hosts and people by name.
var foreign = []*regexp.Regexp{
	regexp.MustCompile(`/(?:home|root|Users|work|tmp|mnt|media|srv|private)/[\w./-]*`),
	regexp.MustCompile(`(?i)\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b`),
	regexp.MustCompile(`\b[\w.+-]+@[\w.-]+\.[A-Za-z]{2,}\b`),
}

// Nor other hosts and addresses than those of own.
var (
	hostOfURL = regexp.MustCompile(`://([\w.-]+)`)
	address   = regexp.MustCompile(`\b(\d{1,3}(?:\.\d{1,3}){3})\b`)
)

// own are the networks that may stand: the runs' (RFC 2544), the loopback, and
// the address that means all.
var own = []netip.Prefix{
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("0.0.0.0/32"),
}

// private lists what of the files should be seen by nobody else, each once;
// names are those of this machine and of who works on it.
func private(files []file, names []string) []string {
	var found []string
	for _, f := range files {
		text := string(f.text)
		all := map[string]bool{}
		for w := range words(text) {
			for _, p := range foreign {
				for _, m := range p.FindAllString(w, -1) {
					all[m] = true
				}
			}
			for _, p := range []*regexp.Regexp{hostOfURL, address} {
				for _, m := range p.FindAllStringSubmatch(w, -1) {
					if !ours(m[1]) {
						all[m[1]] = true
					}
				}
			}
		}
		for _, n := range names {
			if regexp.MustCompile(`\b` + regexp.QuoteMeta(n) + `\b`).MatchString(text) {
				all[n] = true
			}
		}
		for _, a := range slices.Sorted(maps.Keys(all)) {
			found = append(found, fmt.Sprintf("  %s: %s", f.name, a))
		}
	}
	return found
}

// words are what of a text could be a path, an address or the name of a host,
// each once: a journal repeats itself.
func words(text string) map[string]bool {
	all := map[string]bool{}
	apart := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/.:@+-_", r)
	}
	for w := range strings.FieldsFuncSeq(text, apart) {
		if w = strings.Trim(w, ".:-"); strings.ContainsAny(w, "/.:@") {
			all[w] = true
		}
	}
	return all
}

// ours says whether a is an address of the run's own.
func ours(a string) bool {
	ip, err := netip.ParseAddr(a)
	return err == nil && slices.ContainsFunc(own, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// here are the names of this machine and of who works on it, as far as they
// tell anything: every machine has a root and a localhost.
func here() []string {
	var names []string
	if h, err := os.Hostname(); err == nil {
		names = append(names, h)
	}
	if u, err := user.Current(); err == nil {
		names = append(names, u.Username, u.HomeDir)
	}
	if d, err := os.Getwd(); err == nil {
		names = append(names, d)
	}
	return slices.DeleteFunc(names, func(n string) bool {
		return slices.Contains([]string{"", "/", "root", "/root", "localhost"}, n)
	})
}
