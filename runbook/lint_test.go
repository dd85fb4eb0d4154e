package runbook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"mvdan.cc/sh/v3/syntax"
)

// today is the day of the review of testdata/good.md.
var today = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// world is what documents are held against here.
func world() Known {
	return Known{
		Incident: func(name string, set map[string]string) error {
			if name != "instance-kill" {
				return fmt.Errorf("no scenario %q", name)
			}
			if set["kill"] == "gently" {
				return errors.New("kill=gently: want process")
			}
			return nil
		},
		Places: JettyHA(),
		Nodes:  []string{"j1", "j2", "lb1", "lb2", "db"},
		Inputs: JettyHAInputs(),
		Alerts: JettyHAAlerts(),
		Open: func(path string) ([]byte, error) {
			switch path {
			case "other.md":
				return []byte("---\ntitle: x\n---\n\n## A heading\n\n<a id=\"by-hand\"></a>\n"), nil
			case "../docs/page.md", "folder":
				return nil, nil
			case "locked.md":
				return nil, fs.ErrPermission
			}
			return nil, fs.ErrNotExist
		},
	}
}

// linted are the findings of a text that can be read.
func linted(t *testing.T, text string) []Finding {
	t.Helper()
	r, err := Parse("x.md", []byte(text))
	require.NoError(t, err)
	return Lint(r, world(), today)
}

func TestLintOfAGoodRunbook(t *testing.T) {
	require.Equal(t, []Finding{}, linted(t, good(t)))
}

// defect is the good document with a text replaced: that breaks a rule. Where
// is the text whose line the finding names, the last that is so; empty is line 1.
type defect struct{ rule, name, old, with, where, says string }

var bad = []defect{
	{"title", "missing", "title: An application node is lost\n", "", "", "no title: say what"},
	{"owner", "missing", "owner: shop operations\n", "", "", "no owner: say which team"},
	{"owner", "empty", "owner: shop operations\n", "owner:\n", "owner:", "no owner"},
	{"alert", "missing", "alert: NodeDown\n", "", "", "no alert: name the alert"},
	{"alert", "unknown", "alert: NodeDown", "alert: NodeGone", "alert:", "no alert is called NodeGone: there are BalancerDown, "},
	{"within", "missing", "within: 2m\n", "", "", "no within: say how long"},
	{"restores", "missing", "restores: [nodes-routed, service-answers]\n", "", "", "no restores: name the states"},
	{"restores", "unknown", "[nodes-routed, service-answers]", "[nodes-routed, well]", "restores:", "no state well: there are nodes-routed, "},
	{"reviewed", "missing", "reviewed: 2026-11-21\n", "", "", "write the day, such as 2026-11-21"},
	{"reviewed", "to come", "2026-11-21", "2026-11-23", "reviewed:", "the review of 2026-11-23 is to come"},
	{"reviewed", "overdue", "2026-11-21", "2025-11-20", "reviewed:", "the last review is 366 days ago"},
	{"incident", "missing", "incident: instance-kill\n", "", "", "no incident: name the scenario"},
	{"incident", "unknown", "instance-kill", "instance-kil", "incident:", `no scenario "instance-kil"`},
	{"incident", "setting", "{kill: process}", "{kill: gently}", "incident:", "kill=gently: want process"},
	{"input", "unknown", "  VIP:", "  DOMAIN: x\n  VIP:", "DOMAIN:", "nobody brings DOMAIN: there are VIP"},
	{"input", "no variable", "  VIP:", "  the VIP: x\n  VIP:", "the VIP:", `"the VIP" is no name of a variable`},
	{"input", "not said", "VIP: the address at which users reach the service", "VIP:", "  VIP:", "VIP: say what it is"},

	{"section", "missing", "## Impact\n\nHalf of the users wait once; none loses a session. See [Steps](#steps) and\n[another](other.md#a-heading).\n", "", "", `no section "Impact"`},
	{"section", "empty", "Half of the users wait once; none loses a session. See [Steps](#steps) and\n[another](other.md#a-heading).\n", "", "## Impact", `"Impact" is empty`},
	{"section", "twice", "## References", "## Impact", "## Impact\n\nSee", `a second section "Impact"`},
	{"section", "order", "## Verification\n", "", "## Verification", `"Verification" comes before "Rollback"`},
	{"symptom", "no check", "## Diagnosis\n", "## Diagnosis\n", "## Symptom", "nothing shows the symptom"},
	{"step", "none", "### 1. Start", "### 1. Start", "## Steps", "no step: give each"},
	{"rollback", "missing", "## Rollback\n\nAs step 1 is undone.\n", "", "", `no section "Rollback"`},
	{"rollback", "empty", "As step 1 is undone.\n", "", "## Rollback", "the rollback is empty"},

	{"expect", "nothing", "```output\nstatus 7\n```\n", "", "```sh\ncurl -sS -o", "it is not said what comes of it"},
	{"expect", "of the first of two", "**Expect:** `nodes-routed`", "```sh {on=$node}\nfree\n```\n\n```sh {on=$node}\nuptime\n```\n\n**Expect:** `nodes-routed`", "```sh {on=$node}\nfree", "it is not said"},
	{"expect", "rollback", "As step 1 is undone.\n", "On each balancer:\n\n```sh {on=balancer}\nuptime\n```\n", "```sh {on=balancer}\nuptime", "it is not said"},
	{"state", "unknown", "**Expect:** `nodes-routed`", "**Expect:** `nodes-well`", "`nodes-well`", "no state nodes-well: there are"},
	{"answer", "decision", " In CI: `no`.", "", "**Decide:**", "no answer for CI: add In CI: `no`."},
	{"answer", "decision that ends it", "Go on with `no`. In CI: `no`.", "Go on with `no`. In CI: `yes`.", "**Decide:**", "in CI the answer is yes, and it goes on with no alone"},
	{"answer", "call", " In CI: `told`.", "", "**Call:**", "no answer for CI: add In CI: `told`."},

	{"place", "unknown", "```sh {on=$node timeout=15s}", "```sh {on=node timeout=15s}", "```sh {on=node timeout=15s}", "no place node: there are operator, application, balancer, database, proxy"},
	{"said", "not at all", "On each balancer:", "Now:", "```bash {on=\"balancer\"}", "does not say that it runs on balancer"},
	{"said", "a variable", "On the lost node (`$node`):", "On the lost node:", "```sh {on=$node timeout=15s}", "does not say that it runs on $node"},
	{"said", "back at the operator", "```sh\ntest -n", "On `$node`:\n\n```sh {on=$node}\ntrue\n```\n\n```output\n```\n\n```sh\ntest -n", "```sh\ntest -n", "does not say that it runs on operator"},
	{"command", "not there", "awk -F, '/^nodes,/", "jq . | awk -F, '/^nodes,/", "jq . |", "jq is not there on balancer"},
	{"command", "not on any node", "app-start java", "curl -sS localhost\napp-start java", "curl -sS localhost", "curl is not there on $node"},
	{"command", "by its path", "app-start java", "/usr/bin/systemd-run true\napp-start java", "/usr/bin/systemd-run", "systemd-run is not there"},
	{"command", "behind others", "app-start java", "timeout -k 1 5 env A=b nice -n 5 strace true\napp-start java", "strace", "strace is not there"},
	{"command", "in a script", "app-start java", "sh -c 'true && lsof -i'\napp-start java", "lsof", "lsof is not there"},
	{"command", "in a substitution", "app-start java", "echo \"$(lsof)\"\napp-start java", "lsof", "lsof is not there"},
	{"variable", "never", "test -n \"$node\"", "test -n \"$nod\"", "$nod\"", "nod is used here, and no command before captures it"},
	{"variable", "later", "test -n \"$node\"", "test -n \"$late\"\nlate=1", "$late", "late is used here"},
	{"variable", "in a pipe", "echo \"$node\"\n", "echo \"$node\" | read -r other\necho \"$other\"\n", "echo \"$other\"", "other is used here"},
	{"variable", "in a subshell", "test -n \"$node\"\n```", "test -n \"$node\"\n(inner=1)\n```\n\n```output\n```\n\n```sh\necho $inner\n```", "echo $inner", "inner is used here"},
	{"variable", "of an undo", "test -n \"$node\"", "test -n \"$pid\"", "$pid\"", "pid is used here"},
	{"variable", "a place", "(`$node`):\n\n```sh {on=$node timeout=15s}", "(`$nodes`):\n\n```sh {on=$nodes timeout=15s}", "{on=$nodes", "on=$nodes: no command before captures nodes"},

	{"destructive", "no guard", "### 2. Say so\n", "### 2. Say so\n\n```sh\nrm -r /tmp/x\n```\n\n```output\n```\n", "rm -r", "rm without a guard: before it in its step ask for a decision"},
	{"destructive", "a check after it", "### 2. Say so\n", "### Now\n\nOn each balancer:\n\n```bash {on=balancer}\necho x >&3 'set server nodes/x state maint'\n```\n\n**Expect:** `nodes-routed` within `1s`.\n\n### 2. Say so\n", "set server", "an order to HAProxy without a guard"},
	{"destructive", "in a diagnosis", "echo \"$node\"\n```", "echo \"$node\"\nkill -KILL 1\n```", "kill -KILL", "kill changes something, and Diagnosis only looks: make it a step"},
	{"destructive", "an undo that is none", "### 2. Say so\n", "### Now\n\n```sh\nrm -r /tmp/x\n```\n\n```output\n```\n\n**Undo:** There is none.\n\n### 2. Say so\n", "rm -r", "rm without a guard"},
	{"destructive", "a start", "### 2. Say so\n", "### Now\n\nOn each balancer:\n\n```sh {on=balancer}\napp-start haproxy\n```\n\n```output\n```\n\n### 2. Say so\n", "app-start", "app-start without a guard"},
	{"destructive", "what is found", "### 2. Say so\n", "### 2. Say so\n\n```sh\nfind /tmp -name x -delete\n```\n\n```output\n```\n", "find", "find without a guard"},
	{"destructive", "data behind other flags", "### 2. Say so\n", "### 2. Say so\n\n```sh\ncurl -sSd x \"$VIP\"\n```\n\n```output\n```\n", "curl -sSd", "curl without a guard"},
	{"destructive", "a file", "### 2. Say so\n", "### 2. Say so\n\n```sh\necho x >/etc/motd\n```\n\n```output\n```\n", ">/etc/motd", "writing /etc/motd without a guard"},
	{"destructive", "SQL", "### 2. Say so\n", "### Now\n\nOn the database:\n\n```sh {on=database}\npsql -c 'select 1' -c 'DELETE FROM orders'\n```\n\n```output\n```\n\n### 2. Say so\n", "psql", "psql without a guard"},
	{"destructive", "a request", "### 2. Say so\n", "### 2. Say so\n\n```sh\ncurl -sS -X DELETE \"$VIP\"\n```\n\n```output\n```\n", "curl -sS -X", "curl without a guard"},
	{"destructive", "a request behind other flags", "### 2. Say so\n", "### 2. Say so\n\n```sh\ncurl -sX DELETE \"$VIP\"\n```\n\n```output\n```\n", "curl -sX", "curl without a guard"},
	{"destructive", "data without a space", "### 2. Say so\n", "### 2. Say so\n\n```sh\ncurl -sS -d'{}' \"$VIP\"\n```\n\n```output\n```\n", "curl -sS -d", "curl without a guard"},
	{"destructive", "a file that a variable names", "### 2. Say so\n", "### 2. Say so\n\n```sh\n: >\"$VIP\"\n```\n\n```output\n```\n", ": >", "writing to $VIP without a guard"},

	{"host", "address", "http://$VIP/", "http://198.18.7.100/", "198.18.7.100", "the address 198.18.7.100 is written out"},
	{"host", "address in prose", "A node that is not down was never lost.", "Ask 10.1.2.3 too.", "10.1.2.3", "the address 10.1.2.3 is written out"},
	{"host", "address of version 6", "http://$VIP/", "http://[2001:db8::1]/", "2001:db8", "the address 2001:db8::1 is written out"},
	{"host", "name", "http://$VIP/", "http://shop.example.org/", "shop.example", "the host shop.example.org is written out"},
	{"host", "behind a user", "test -n", "echo ops@gateway ; test -n", "ops@gateway", "the host gateway is written out"},
	{"host", "in an argument", "test -n", "nc -z -w 2 gateway 80 ; test -n", "nc -z", "the host gateway is written out"},
	{"host", "node as a place", "(`$node`):\n\n```sh {on=$node timeout=15s}", "(j2):\n\n```sh {on=j2 timeout=15s}", "on=j2", "on=j2 is one node: write its role"},
	{"host", "node in a command", "echo \"$node\"", "echo j1", "echo j1", "the node j1 is written out"},
	{"host", "node in an output", "? (glob)", "j2", "j2\n```", "the node j2 is written out"},

	{"secret", "variable", "test -n", "PGPASSWORD=hunter2 test -n", "hunter2", "a secret is written out"},
	{"secret", "prose", "A node that is not down was never lost.", "The token=abcdef is for all.", "token=", "a secret is written out"},
	{"secret", "user of an address", "http://$VIP/", "http://ops:hunter2@$VIP/", "hunter2", "a secret is written out"},
	{"secret", "flag", "curl -sS --max-time 2 \"http://$VIP/\"", "curl -u ops:hunter2 \"http://$VIP/\"", "hunter2", "a secret is written out"},
	{"secret", "SQL", "curl -sS --max-time 2 \"http://$VIP/\"", "echo \"ALTER ROLE shop PASSWORD 'hunter2'\"", "hunter2", "a secret is written out"},
	{"secret", "flag without a space", "curl -sS --max-time 2 \"http://$VIP/\"", "curl -uops:hunter2 \"http://$VIP/\"", "hunter2", "a secret is written out"},
	{"secret", "header", "curl -sS --max-time 2 \"http://$VIP/\"", "curl -H 'Authorization: Bearer abcdefghijkl' \"http://$VIP/\"", "Bearer", "a secret is written out"},
	{"secret", "JSON", "*hachaos sample shop* (glob)", `{"password":"hunter2"}`, "hunter2", "a secret is written out"},
	{"secret", "key", "A node that is not down was never lost.", "-----BEGIN RSA PRIVATE KEY-----", "PRIVATE", "a secret is written out"},
	{"secret", "known form", "A node that is not down was never lost.", "AKIA" + "ABCDEFGHIJKLMNOP", "AKIA", "a secret is written out"},

	{"link", "file", "../docs/page.md", "../docs/gone.md", "gone.md", "../docs/gone.md is not there"},
	{"link", "image", "[the page](../docs/page.md)", "![the page](gone.png)", "gone.png", "gone.png is not there"},
	{"link", "unreadable", "../docs/page.md", "locked.md", "locked.md", "locked.md cannot be read: permission denied"},
	{"link", "heading", "#steps", "#stops", "#stops", "#stops: no heading of this document is called so"},
	{"link", "heading of another", "other.md#a-heading", "other.md#b-heading", "b-heading", "other.md#b-heading: no heading of other.md is called so"},
	{"link", "from the root", "../docs/page.md", "/docs/page.md", "/docs/page.md", "/docs/page.md leads from the root"},
	{"link", "no link", "../docs/page.md", "a%zz", "a%zz", `"a%zz" is no link`},
}

// spoil makes a bad document of the good one.
func (d defect) spoil(t *testing.T) string {
	t.Helper()
	text := good(t)
	require.Equal(t, 1, strings.Count(text, d.old), "%q", d.old)
	switch d.rule + " " + d.name {
	case "symptom no check": // its command is a text to read
		return strings.NewReplacer("```bash {on=balancer timeout=5s}", "```text", "```output\n...\n* DOWN* (glob)\n...\n```\n", "").Replace(text)
	case "step none":
		before, after, _ := strings.Cut(text, "### 1.")
		_, after, _ = strings.Cut(after, "## Verification")
		return before + "## Verification" + after
	case "variable of an undo": // captured there, and nowhere else
		text = strings.Replace(text, "kill -TERM \"$(cat /run/hachaos/java.pid)\"", "pid=$(cat /run/hachaos/java.pid)\nkill -TERM \"$pid\"", 1)
	case "section order": // two change places
		return strings.NewReplacer("## Verification", "## Rollback", "## Rollback", "## Verification").Replace(text)
	}
	return strings.Replace(text, d.old, d.with, 1)
}

// Each rule fires on a document that breaks it, names the line, and no other
// rule fires on the same defect.
func TestLintFindsEachDefect(t *testing.T) {
	met := map[string]bool{"check": true} // TestLintOfChecks has its documents
	for _, d := range bad {
		met[d.rule] = true
		t.Run(d.rule+" "+d.name, func(t *testing.T) {
			text := d.spoil(t)
			found := linted(t, text)
			require.Len(t, found, 1, "%v", found)
			require.Equal(t, d.rule, found[0].Rule)
			require.Contains(t, found[0].Text, d.says)
			line := 1
			if d.where != "" {
				at := strings.LastIndex(text, d.where)
				require.Positive(t, at, "%q", d.where)
				line += strings.Count(text[:at], "\n")
			}
			require.Equal(t, line, found[0].Line, "%v", found)
		})
	}
	for _, rule := range Rules() {
		require.True(t, met[rule], "no document breaks %s", rule)
	}
}

// What looks like a defect and is none is left alone.
func TestLintStaysQuiet(t *testing.T) {
	step := func(text string) string { return "### Now\n\n" + text + "\n\n```output\n```\n\n### 2. Say so\n" }
	for _, q := range []struct{ rule, name, old, with string }{
		{"reviewed", "a year ago", "2026-11-21", "2025-11-21"},
		{"reviewed", "tomorrow begins elsewhere", "2026-11-21", "2026-11-22"},
		{"section", "more at the end", "## References", "## Follow-up"},
		{"symptom", "in a part", "## Symptom\n", "## Symptom\n\n### What is seen\n"},
		{"rollback", "in a part", "As step 1 is undone.", "### All\n\nAs step 1 is undone."},
		{"expect", "an undo", "kill -TERM", "uptime; kill -TERM"},
		{"expect", "a paragraph between", "```output\nstatus 7", "It prints:\n\n```output\nstatus 7"},
		{"place", "a role", "### 2. Say so\n", step("On the proxy:\n\n```sh {on=proxy}\nuname\n```")},
		{"said", "the same place again", "### 2. Say so\n", step("At each balancer:\n\n```sh {on=balancer}\nuptime\n```\n\n```output\n```\n\n```sh {on=balancer}\nfree\n```")},
		{"said", "the title says it", "### 2. Say so\n", "### 2. Say so on each balancer\n\n```sh {on=balancer}\nuptime\n```\n\n```output\n```\n\nOn the operator's machine:\n\n"},
		{"command", "a function", "app-start java", "lsof() { ss -t; }\nlsof\napp-start java"},
		{"command", "a question for it", "app-start java", "command -v lsof || true\napp-start java"},
		{"command", "by a variable", "app-start java", "$node || true\napp-start java"},
		{"command", "a path of it", "app-start java", "/usr/local/bin/app-start java"},
		{"variable", "a default", "test -n \"$node\"", "test -n \"${other:-x}${others+x}\""},
		{"variable", "given a value", "test -n \"$node\"", "for i in a b; do echo \"$i\"; done; : \"${more:=x}\"; echo \"$more\"; read -r it </dev/null || echo \"${it}\""},
		{"variable", "of the shell", "test -n \"$node\"", "echo \"$1\" \"$?\" \"$$\" \"$HOME\" '$quoted'"},
		{"variable", "in a function that is called later", "test -n \"$node\"", "f() { echo \"$later\"; }; later=1; f"},
		{"variable", "a declaration", "test -n \"$node\"", "export more=1; echo \"$more\""},
		{"variable", "of the place", "### 2. Say so\n", step("On the database:\n\n```sh {on=database}\nls \"$PGDATA\"\n```")},
		{"variable", "of a node's place", "app-start java", "echo \"$NODE\"; app-start java"},
		{"variable", "quoted in a document", "test -n \"$node\"", "cat <<'E'\n$quoted\nE"},
		{"variable", "used in an undo", "kill -TERM \"$(cat", "echo \"$address\"; kill -TERM \"$(cat"},
		{"destructive", "behind a decision", "### 2. Say so\n", step("**Decide:** Sure? Go on with `yes`. In CI: `yes`.\n\n```sh\nrm -r /tmp/x\n```")},
		{"destructive", "behind a check", "### 2. Say so\n", step("```sh\nls /tmp/x\n```\n\n```output\n```\n\n```sh\nrm -r /tmp/x\n```")},
		{"destructive", "behind a state", "### 2. Say so\n", step("**Expect:** `nodes-routed` within `1s`.\n\n```sh\nrm -r /tmp/x\n```")},
		{"destructive", "with an undo", "test -n \"$node\"\n```\n\n```output\n```\n", "rm /tmp/x\n```\n\n```output\n```\n\n**Undo:** Make it again:\n\n```sh\ntouch /tmp/x\n```\n"},
		{"destructive", "the way back", "As step 1 is undone.", "On each balancer:\n\n```sh {on=balancer}\nkill -TERM 1\n```\n\n```output\n```"},
		{"destructive", "only looks", "### 2. Say so\n", step("```sh\nkill -0 1; ip addr show; curl -sS -X GET \"$VIP\" >/dev/null; nft list ruleset; echo x >/tmp/y; sed -n 1p </dev/null\n```")},
		{"destructive", "a query", "### 2. Say so\n", step("On the database:\n\n```sh {on=database}\npsql -c \"select count(*) from orders where item = 'Lock' for update\"\n```")},
		{"destructive", "back in the rotation", "### 2. Say so\n", step("On each balancer:\n\n```sh {on=balancer}\necho 'set server nodes/x state ready'\n```")},
		{"host", "a cast of SQL", "http://$VIP/", "http://$VIP/?q=created_at::date,id::bigint"},
		{"host", "this machine", "http://$VIP/", "http://127.0.0.1/ http://[::1]/ http://localhost:8080/"},
		{"host", "no host", "test -n \"$node\"", "echo \"$@\" 10:20:30 1.2.3 'git log @{u}'"},
		{"host", "a captured one in an argument", "test -n \"$node\"", "nc -z -w 2 \"$node\" 80; nc -z localhost 80"},
		{"host", "part of a word", "test -n \"$node\"", "echo dbname my-j1"},
		{"host", "another site in prose", "A node that is not down was never lost.", "Mail ops@example.org or see <https://example.org/x>."},
		{"secret", "a variable", "test -n", "PGPASSWORD=$node PGPASSWORD=\"$(cat /run/x)\" test -n"},
		{"secret", "a name", "A node that is not down was never lost.", "The password: see the vault. A token is 12 characters; token=<yours>, secret = … no."},
		{"link", "a folder", "../docs/page.md", "folder"},
		{"link", "an anchor of HTML", "other.md#a-heading", "other.md#by-hand"},
		{"link", "with its title", "(../docs/page.md)", "(../docs/page.md \"the page\")"},
	} {
		t.Run(q.rule+" "+q.name, func(t *testing.T) {
			text := good(t)
			require.Equal(t, 1, strings.Count(text, q.old), "%q", q.old)
			require.Empty(t, linted(t, strings.Replace(text, q.old, q.with, 1)))
		})
	}
}

// What a call ends, removes or changes is found behind what calls it, and what only
// looks is not taken for it.
func TestDestroys(t *testing.T) {
	for text, want := range map[string]string{
		"nsenter -t 1 -n rm /etc/x":                        "rm",
		"unshare -n true":                                  "",
		"eval 'rm -r /data'":                               "rm",
		"eval rm -r /data":                                 "rm",
		"eval echo x":                                      "",
		"sudo -u postgres sh -c 'rm /x'":                   "rm",
		"cp /tmp/new.cfg /etc/haproxy/haproxy.cfg":         "cp",
		"cp /etc/haproxy/haproxy.cfg /tmp/kept.cfg":        "",
		"chmod -R 777 /data":                               "chmod",
		"chmod 600 /tmp/x":                                 "",
		"chown -R postgres /data":                          "chown",
		"sysctl net.ipv4.ip_nonlocal_bind=1":               "sysctl",
		"sysctl -n net.ipv4.ip_nonlocal_bind":              "",
		"haproxy -f /etc/haproxy/haproxy.cfg -sf 7":        "haproxy",
		"haproxy -c -f /etc/haproxy/haproxy.cfg":           "",
		"echo 'DELETE FROM orders' | psql":                 "psql",
		"echo DELETE FROM orders | psql -tA":               "psql",
		"psql -tA <<'E'\nselect 1;\nupdate x set y = 1\nE": "psql",
		"psql -f mend.sql":                                 "psql",
		"psql -Atc 'select count(*) from orders'":          "",
		"psql --command='select updated from orders'":      "",
		"echo 'select 1' | psql":                           "",
		"vacuumdb --all":                                   "vacuumdb",
		"reindexdb -d shop":                                "reindexdb",
	} {
		file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
		require.NoError(t, err, text)
		l := &linter{facts: map[*Command]*facts{}}
		_, got := l.destroys(&Command{Text: text, script: file})
		require.Equal(t, want, got, text)
	}
}

// The host that a call names is found among its flags, and no other word is taken
// for it.
func TestHostGiven(t *testing.T) {
	for text, want := range map[string]string{
		"ssh -p 22 -l ops gateway uptime":   "gateway",
		"ssh ops@gateway uptime":            "gateway",
		"ssh -tp22 gateway":                 "gateway",
		"ssh -l ops":                        "",
		"/usr/bin/ping -c 3 -W 1 web1":      "web1",
		"dig +short -t A @ns1.example shop": "ns1.example",
		"psql -tA -h db7 -d shop -c select": "db7",
		"psql -hdb7 -d shop":                "db7",
		"psql --host=db7 -d shop":           "db7",
		"psql --host db7":                   "db7",
		"psql -d shop -c 'select 1'":        "",
		"psql -h":                           "",
		"echo gateway":                      "",
		"nc -z -w 2 gateway 80":             "gateway",
		"nc":                                "",
	} {
		words := strings.Fields(text)
		require.Equal(t, want, hostGiven(call{name: words[0], args: words[1:]}), text)
	}
}

// What is not known is not looked at.
func TestLintWithoutKnowledge(t *testing.T) {
	text := strings.NewReplacer("instance-kill", "x", "../docs/page.md", "gone", "app-start", "x", "  VIP:", "  Y: y\n  VIP:").Replace(good(t))
	r, err := Parse("x.md", []byte(text))
	require.NoError(t, err)
	require.Empty(t, Lint(r, Known{}, today))
}

// The same findings come again, in the order of the lines.
func TestLintIsOrdered(t *testing.T) {
	text := good(t)
	for _, d := range bad[:8] {
		text = strings.Replace(text, d.old, d.with, 1)
	}
	text = strings.Replace(text, "status 7", "10.0.0.1 j1 j1", 1)
	found := linted(t, text)
	require.Greater(t, len(found), 5)
	require.True(t, slices.IsSortedFunc(found, func(a, b Finding) int { return a.Line - b.Line }), "%v", found)
	require.Equal(t, found, linted(t, text))
	require.Len(t, slices.DeleteFunc(found, func(f Finding) bool { return f.Rule != "host" }), 2, "a finding is told once")
}

// The page names the rules and the states that there are, and no others.
func TestThePageIsOfTheRulesAndStates(t *testing.T) {
	page, err := os.ReadFile("../docs/runbooks.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(page), "These are the states:")
	require.True(t, ok)
	inStates, inRules, ok := strings.Cut(rest, "## What lint finds")
	require.True(t, ok)
	inRules, _, ok = strings.Cut(inRules, "\n## ")
	require.True(t, ok)

	var rules []string
	for row := range strings.Lines(inRules) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(row, "| `"), " | "); ok && strings.HasPrefix(row, "| `") {
			rules = append(rules, strings.Split(strings.Trim(first, "`"), "`, `")...)
		}
	}
	slices.Sort(rules)
	require.Equal(t, Rules(), rules)
	for _, s := range States() {
		require.Contains(t, inStates, fmt.Sprintf("| `%s` | %s |\n", s.Name, s.About))
	}
	inStates, inAlerts, ok := strings.Cut(inStates, "These are the alerts")
	require.True(t, ok)
	require.Equal(t, len(States()), strings.Count(inStates, "\n| `"))
	for _, a := range JettyHAAlerts() {
		require.True(t, isState(a.State), a.Name)
		require.Contains(t, inAlerts, fmt.Sprintf("| `%s` | `%s` |\n", a.Name, a.State))
	}
	require.Equal(t, len(JettyHAAlerts()), strings.Count(inAlerts, "\n| `"))
}

// Whatever can be read can be linted.
func FuzzLint(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse("fuzz.md", text)
		if err != nil {
			return
		}
		lines := 1 + strings.Count(string(text), "\n")
		for _, found := range Lint(r, world(), today) {
			require.Positive(t, found.Line)
			require.LessOrEqual(t, found.Line, lines)
			require.Contains(t, Rules(), found.Rule)
		}
	})
}
