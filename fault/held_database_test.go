package fault

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// heldDatabase is what psql and the database behind it do, as far as faults ask.
type heldDatabase struct {
	locks    map[string]string // the sessions that are kept, each with the table that it locks
	blocked  bool              // somebody else has a part of every table
	waiting  int               // sessions that wait for a lock
	used     int               // connections of ordinary roles
	most     int
	kept     int  // of these the fault's
	set, on  bool // read-only: in the file, and in force
	delays   map[string]time.Duration
	own      time.Duration // what a statement takes by itself
	trace    string        // of the job that cleans up
	dead     int           // sessions that it planted and left
	spares   int           // of the planted: how many it leaves
	starting int           // so many commands more find no server
	said     []string      // the statements
}

func heldDB() *heldDatabase {
	return &heldDatabase{locks: map[string]string{}, used: 12, most: 97, delays: map[string]time.Duration{}, own: 1200 * time.Microsecond}
}

func heldRefusal(code int, why string) (topology.Output, error) {
	return topology.Output{Code: code, Stderr: []byte(why + "\n")}, nil
}

func (d *heldDatabase) exec(argv []string) (topology.Output, error) {
	switch {
	case argv[0] == "psql" && d.starting > 0:
		d.starting--
		return heldRefusal(unconnected, "psql: error: the database system is starting up")
	case argv[0] == "psql" && argv[1] == "-X":
		return d.job(argv[len(argv)-1])
	case argv[0] == "psql":
		return d.session(argv)
	case len(argv) < 5:
	case argv[2] == endSessions:
		delete(d.locks, argv[4])
		if argv[4] == connectionsName {
			d.used, d.kept = d.used-d.kept, 0
		}
		return topology.Output{}, nil
	case argv[2] == atOnce:
		n, err := strconv.Atoi(argv[4])
		if err != nil {
			return topology.Output{}, err
		}
		var all []byte
		for range n {
			out, err := d.session(argv[5:])
			if err != nil || out.Code != 0 {
				return out, err
			}
			all = append(all, out.Stdout...)
		}
		return topology.Output{Stdout: all}, nil
	case slices.Equal(argv[:4], background()[:4]):
		return d.keep(argv[4:])
	}
	return topology.Output{}, errUnasked
}

var (
	heldLocking  = regexp.MustCompile(`^LOCK TABLE (\w+) IN EXCLUSIVE MODE$`)
	heldWho      = regexp.MustCompile(`application_name = '([^']+)'`)
	heldRelation = regexp.MustCompile(`relation = '(\w+)'::regclass`)
	heldFunction = regexp.MustCompile(`to_regproc\('hachaos_slow_(\w+)'\)`)
	heldSleeping = regexp.MustCompile(`pg_sleep\(([\d.]+)\)`)
	heldTrigger  = regexp.MustCompile(`BEFORE INSERT OR UPDATE ON (\w+) `)
	heldLoop     = regexp.MustCompile(`IN 1\.\.(\d+) LOOP\s+began := clock_timestamp\(\);\s+INSERT INTO (\w+) SELECT \* FROM (\w+) WHERE false`)
	heldName     = regexp.MustCompile(`user=(\S+) application_name=(\S+)`)
)

// keep begins what stays when the command has returned.
func (d *heldDatabase) keep(argv []string) (topology.Output, error) {
	if argv[0] == "perl" && argv[2] == takeConnections && argv[3] == "application_name="+connectionsName {
		d.kept, d.used = d.kept+d.most-d.used, d.most
		return topology.Output{}, nil
	}
	who := heldName.FindStringSubmatch(strings.Join(argv, " "))
	said := heldStatements(argv)
	if argv[0] != "psql" || who == nil || who[1] != "postgres" || len(said) != 3 || said[0] != "BEGIN" {
		return topology.Output{}, errUnasked
	}
	table := heldLocking.FindStringSubmatch(said[1])
	if table == nil || said[2] != "SELECT pg_sleep(86400)" {
		return topology.Output{}, errUnasked
	}
	d.locks[who[2]] = table[1]
	return topology.Output{}, nil
}

func heldStatements(argv []string) (all []string) {
	for i, a := range argv {
		if a == "-c" {
			all = append(all, argv[i+1])
		}
	}
	return all
}

// session carries out the statements of one session.
func (d *heldDatabase) session(argv []string) (topology.Output, error) {
	who := heldName.FindStringSubmatch(argv[4])
	if who == nil {
		return topology.Output{}, errUnasked
	}
	ordinary := who[1] != "postgres"
	if ordinary && d.used >= d.most {
		return heldRefusal(unconnected, "psql: error: FATAL:  remaining connection slots are reserved")
	}
	var out strings.Builder
	unhurried := false
	var took []string
	for _, s := range heldStatements(argv) {
		d.said = append(d.said, s)
		switch {
		case s == "SET hachaos.unhurried = on":
			unhurried = true
		case strings.HasPrefix(s, "DO $$"):
			loop := heldLoop.FindStringSubmatch(s)
			if loop == nil || loop[2] != loop[3] {
				return topology.Output{}, errUnasked
			}
			n, _ := strconv.Atoi(loop[1])
			each := d.own
			if !unhurried {
				each += d.delays[loop[2]]
			}
			took = slices.Repeat([]string{fmt.Sprintf("%.3f", each.Seconds()*1000)}, n)
		case s == "SELECT current_setting('hachaos.took')":
			fmt.Fprintln(&out, strings.Join(took, " "))
		case ordinary && s == "SELECT 1":
			fmt.Fprintln(&out, 1)
		case ordinary && s == "SHOW transaction_read_only":
			fmt.Fprintln(&out, map[bool]string{true: "on", false: "off"}[d.on])
		case ordinary:
			return heldRefusal(1, "ERROR:  permission denied")
		default:
			said, err := d.superuser(s)
			if err != nil {
				return topology.Output{}, err
			}
			out.WriteString(said)
		}
	}
	return text("%s", out.String())
}

// superuser is what a statement of postgres prints.
func (d *heldDatabase) superuser(s string) (string, error) {
	letter := func(is bool) string { return map[bool]string{true: "t\n", false: "f\n"}[is] }
	switch {
	case strings.HasPrefix(s, "SELECT EXISTS (SELECT FROM pg_stat_activity"):
		name := heldWho.FindStringSubmatch(s)[1]
		_, there := d.locks[name]
		return letter(there || name == connectionsName && d.kept > 0), nil
	case s == readOnlySet:
		return letter(d.set), nil
	case s == "ALTER SYSTEM SET default_transaction_read_only = on":
		d.set = true
	case s == "ALTER SYSTEM RESET default_transaction_read_only":
		d.set = false
	case s == "SELECT pg_reload_conf()":
		d.on = d.set
		return "t\n", nil
	case s == countConnections:
		return fmt.Sprintf("%d|%d|%d\n", d.kept, d.used, d.most), nil
	case strings.Contains(s, "FROM pg_locks l"):
		name, table := heldWho.FindStringSubmatch(s)[1], heldRelation.FindStringSubmatch(s)[1]
		held := 0
		if d.locks[name] == table && !d.blocked {
			held = 1
		}
		return fmt.Sprintf("%d|%d\n", held, d.waiting), nil
	case heldFunction.MatchString(s):
		_, there := d.delays[heldFunction.FindStringSubmatch(s)[1]]
		return letter(!there), nil
	case strings.Contains(s, "CREATE TRIGGER hachaos_slow"):
		seconds, err := strconv.ParseFloat(heldSleeping.FindStringSubmatch(s)[1], 64)
		if err != nil {
			return "", err
		}
		d.delays[heldTrigger.FindStringSubmatch(s)[1]] = time.Duration(seconds * float64(time.Second))
	case strings.HasPrefix(s, "DROP TRIGGER IF EXISTS hachaos_slow ON "):
		delete(d.delays, strings.TrimPrefix(s, "DROP TRIGGER IF EXISTS hachaos_slow ON "))
	case strings.HasPrefix(s, "DROP FUNCTION IF EXISTS hachaos_slow_"), s == "SET client_min_messages = error", s == "SET hachaos.unhurried = off":
	case s == "SELECT to_regclass('public.hachaos_cleanup') IS NOT NULL":
		return letter(d.trace != ""), nil
	default:
		return "", errUnasked
	}
	return "", nil
}

var (
	heldPlanted = regexp.MustCompile(`generate_series\(1, (\d+)\) i, .*::bigint - (\d+) AS t`)
	heldIdle    = regexp.MustCompile(`DELETE FROM jettysessions WHERE accesstime < .* interval '([\d.]+) seconds'`)
	heldProbes  = regexp.MustCompile(`'hachaos-probe-unused', (\d+), 1800000\), \('hachaos-probe-expired', (\d+), -1800000\)`)
)

// job is what the job that cleans up is told, and what is asked about it.
func (d *heldDatabase) job(s string) (topology.Output, error) {
	switch {
	case s == cleanupTrace:
		return text("%s %d\n", map[bool]string{true: "t", false: "f"}[d.trace != ""], d.dead)
	case s == cleanupSeen:
		return text("%s\n", d.trace)
	case s == cleanupUndo:
		d.trace, d.dead = "", 0
		return topology.Output{}, nil
	}
	planted, probes := heldPlanted.FindStringSubmatch(s), heldProbes.FindStringSubmatch(s)
	if planted == nil || probes == nil {
		return topology.Output{}, errUnasked
	}
	number := func(text string) int { n, _ := strconv.Atoi(text); return n }
	n, age, older, younger := number(planted[1]), number(planted[2]), number(probes[1]), number(probes[2])
	dead, unused, expired := n, 0, 1
	if idle := heldIdle.FindStringSubmatch(s); idle != nil {
		seconds, _ := strconv.ParseFloat(idle[1], 64)
		beyond := func(ms int) int { return map[bool]int{true: 1}[float64(ms) > 1000*seconds] }
		dead, unused, expired = n*beyond(age), beyond(older), beyond(younger)
	}
	d.dead = n - dead + d.spares
	now := time.Now()
	d.trace = fmt.Sprintf("%s %s %d %d 3 %d %d %d %d", epochOf(now), epochOf(now.Add(time.Millisecond)), n, dead-d.spares, unused, expired, older, younger)
	return topology.Output{}, nil
}

// heldOn is a node that runs the database.
func heldOn(d *heldDatabase) *heldNode {
	return &heldNode{stub: &stub{name: "db", role: topology.Database, state: up, exec: d.exec}}
}
