package runbook

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// destructive asks whether what ends, removes or changes something stands in a
// step, or in the way back, and in a step behind a guard: a decision or a check
// before it, or an undo.
func (l *linter) destructive() {
	for _, r := range l.runs() {
		if r.undo || r.section.Title == Rollback {
			continue
		}
		guarded := r.part.Undo != nil && len(commandsOf(r.part.Undo.Blocks)) > 0
		for _, b := range r.blocks {
			switch b := b.(type) {
			case *Decide, *Expect:
				guarded = true
			case *Command:
				line, what := l.destroys(b)
				switch {
				case what == "":
					guarded = guarded || b.Output != nil
				case r.section.Title != Steps:
					l.find(line, "destructive", "%s changes something, and %s only looks: make it a step", what, r.section.Title)
				case !guarded:
					l.find(line, "destructive", "%s without a guard: before it in its step ask for a decision or check that it is right, or say how it is undone", what)
				}
			}
		}
	}
}

// destroys is what a command ends, removes or changes something with, and in
// which line; empty if it only looks.
func (l *linter) destroys(c *Command) (line int, what string) {
	f := l.look(c)
	for _, call := range f.calls {
		name := path.Base(call.name)
		if test, ok := destroyers[name]; ok && test(call.args, c.Text) || strings.HasPrefix(name, "mkfs") {
			return call.line, name
		}
	}
	if at := order.FindStringIndex(c.Text); at != nil {
		return c.Line + 1 + strings.Count(c.Text[:at[0]], "\n"), "an order to HAProxy"
	}
	for _, w := range f.writes {
		if strings.HasPrefix(w.name, "$") {
			return w.line, "writing to " + w.name
		}
		if strings.HasPrefix(w.name, "/") && !strings.HasPrefix(w.name, "/dev/") && !strings.HasPrefix(w.name, "/tmp/") {
			return w.line, "writing " + w.name
		}
	}
	return 0, ""
}

// order is one to HAProxy's runtime socket that takes something away from
// users.
var order = regexp.MustCompile(`\b(disable|shutdown) (server|frontend|session|sessions)\b` +
	`|\bset server \S+ (state (maint|drain)|weight|addr|fqdn)\b|\bset weight\b|\bdel (server|map|acl)\b|\bclear (counters|table|map|acl)\b`)

// statement is one of SQL that changes something, at its beginning, or a
// function that does.
var statement = regexp.MustCompile(`(?im)(?:^|[;"'(])\s*(?:drop|delete|truncate|update|alter|insert|create|grant|revoke|reindex|vacuum|lock|copy)\s` +
	`|\b(?:pg_terminate_backend|pg_cancel_backend|pg_reload_conf|pg_promote|setval|nextval)\b`)

// piped is one of SQL that changes something, anywhere in what psql may be given to
// read.
var piped = regexp.MustCompile(`(?i)\b(?:drop|delete|truncate|update|alter|insert|create|grant|revoke|reindex|vacuum|lock|copy)\s+\w`)

// changesSQL says whether a call of psql may change something: by a statement that
// stands in the command, by one that it is piped, or by a file that nobody sees here.
func changesSQL(args []string, text string) bool {
	given := false
	for _, a := range args {
		switch {
		case a == "-f" || strings.HasPrefix(a, "--file"):
			return true
		case strings.HasPrefix(a, "--command"), short.MatchString(a) && strings.HasSuffix(a, "c"):
			given = true
		}
	}
	return statement.MatchString(text) || !given && piped.MatchString(text)
}

// overwrites says whether a copy goes to where it outlives the command: anywhere but
// /tmp.
func overwrites(args []string, _ string) bool {
	return len(args) > 1 && !strings.HasPrefix(args[len(args)-1], "/tmp/")
}

func whatever([]string, string) bool { return true }

// among says whether one of the words is among the arguments.
func among(words ...string) func([]string, string) bool {
	return func(args []string, _ string) bool {
		return slices.ContainsFunc(args, func(a string) bool { return slices.Contains(words, a) })
	}
}

// beyond says whether the first argument that is no flag is none of the words.
func beyond(words ...string) func([]string, string) bool {
	return func(args []string, _ string) bool {
		i := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "-") })
		return i >= 0 && !slices.Contains(words, args[i])
	}
}

// destroyers are programs that end, remove or change something, with what
// tells by their arguments and the command's text whether this call does.
var destroyers = map[string]func(args []string, text string) bool{
	"rm": whatever, "rmdir": whatever, "unlink": whatever, "shred": whatever, "truncate": whatever, "dd": whatever, "mv": whatever, "install": whatever, "ln": among("-f", "-sf", "-fs", "-sfn", "-nfs"),
	"wipefs": whatever, "parted": whatever, "fdisk": whatever, "mount": among("-o", "-a"), "umount": whatever,
	"reboot": whatever, "shutdown": whatever, "halt": whatever, "poweroff": whatever,
	"kill":    func(args []string, _ string) bool { return !among("-0", "-l", "-L")(args, "") },
	"pkill":   func(args []string, _ string) bool { return !among("-0")(args, "") },
	"killall": whatever, "fuser": among("-k"), "app-start": whatever, "find": among("-delete", "-exec", "-execdir", "-ok"),
	"dropdb": whatever, "dropuser": whatever, "pg_resetwal": whatever, "initdb": whatever,
	"pg_ctl": among("stop", "restart", "reload", "promote", "kill"),
	"psql":   changesSQL, "pg_restore": whatever, "reindexdb": whatever, "vacuumdb": whatever, "clusterdb": whatever,
	"systemctl": beyond("status", "is-active", "is-enabled", "is-failed", "show", "cat", "list-units", "start"),
	"service":   among("stop", "restart", "reload"),
	"docker":    beyond("ps", "logs", "inspect", "images", "info", "version", "stats", "top", "events", "start"),
	"ip":        among("add", "del", "delete", "flush", "set", "replace", "change"),
	"tc":        among("add", "del", "delete", "replace", "change"),
	"nft":       beyond("list"), "iptables": among("-A", "-D", "-F", "-I", "-P", "-R", "-X", "-Z", "-N"),
	"conntrack": among("-D", "-F", "-U"), "sed": among("-i"), "tee": whatever, "cp": overwrites,
	"chmod": among("-R", "--recursive"), "chown": among("-R", "--recursive"), "chgrp": among("-R", "--recursive"),
	"sysctl": func(args []string, _ string) bool {
		return among("-w", "-p")(args, "") || slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "=") })
	},
	"haproxy": among("-sf", "-st"),
	"curl":    func(args []string, _ string) bool { return slices.ContainsFunc(posts(args), changes) },
}

// changes says whether a request of that method does more than look.
func changes(method string) bool {
	switch method {
	case "", "GET", "HEAD", "OPTIONS":
		return false
	}
	return true
}

// short are flags of one letter each, behind one dash.
var short = regexp.MustCompile(`^-[a-zA-Z]+$`)

// method is curl's -X, alone or behind flags that take no value, with what is written to
// it: -XPUT, -sX.
var method = regexp.MustCompile(`^-[sSfLkgivNqj]*X(.*)$`)

// posts are the methods of curl's requests.
func posts(args []string) []string {
	var out []string
	for i, a := range args {
		switch flag, value, _ := strings.Cut(a, "="); {
		case flag == "--request" || method.MatchString(a):
			if m := method.FindStringSubmatch(a); m != nil {
				value = m[1]
			}
			if value == "" && i+1 < len(args) {
				value = args[i+1]
			}
			out = append(out, strings.ToUpper(value))
		case strings.HasPrefix(flag, "--data"), flag == "--json", flag == "--form", flag == "--upload-file",
			strings.HasPrefix(a, "-F"), strings.HasPrefix(a, "-T"), strings.HasPrefix(a, "-d"), short.MatchString(a) && strings.HasSuffix(a, "d"):
			out = append(out, "POST")
		}
	}
	return out
}
