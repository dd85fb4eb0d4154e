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

// heldMachine is the inside of a node: a process that an init supervises, and what
// faults leave there.
type heldMachine struct {
	name         string // of the process
	pid, next    int    // 0 if none runs
	killed, gone time.Time
	frozen       string // the note of who froze it; empty if nobody did
	stopped      int    // how many of its two processes are
	armed, mark  string // crash points
	loop         *heldLoops
	asked        map[string]string // what faults demand, by the limit
	before, oom  int               // kills for want of memory: before the act and now
	pressed      time.Time
	limits       func() topology.Limits
	holds        map[string]string
	files        map[string]time.Time
	restart      string // the exit status that a restart noted
}

func heldInside(name string) *heldMachine {
	return &heldMachine{
		name: name, pid: 30, next: 31, gone: time.Now(), asked: map[string]string{}, holds: map[string]string{}, files: map[string]time.Time{},
		limits: func() topology.Limits { return topology.Limits{} },
	}
}

// heldRunning is a node around it, whose port is served by the process.
func heldRunning(m *heldMachine) *heldNode {
	n := &heldNode{stub: &stub{name: "n1", role: topology.Application, port: 8080, state: up, exec: m.exec}}
	n.state.StartedAt = time.Now()
	n.lives = func() bool { return m.alive() != 0 }
	n.boots = func() { m.start() }
	m.limits = func() topology.Limits { return n.limits }
	n.serves = func() string {
		switch {
		case !n.state.Running:
			return unreachable
		case m.alive() == 0:
			return refused
		case m.stopped > 0:
			return silent
		}
		return answered
	}
	return n
}

// alive is the number of the process that runs now.
func (m *heldMachine) alive() int {
	if m.loop != nil && m.loop.until.IsZero() {
		return m.loop.pid(time.Now())
	}
	return m.pid
}

func (m *heldMachine) start() {
	if m.pid == 0 {
		m.pid, m.gone, m.stopped = m.next, time.Now(), 0
		m.next++
	}
}

// end has the process end as by a signal.
func (m *heldMachine) end() { m.pid, m.stopped, m.gone = 0, 0, time.Now() }

// exists says whether a path is there.
func (m *heldMachine) exists(path string) bool {
	switch path {
	case "/run/hachaos/" + m.name + ".pid":
		return m.alive() != 0
	case crashDir:
		return m.armed != "" || m.mark != ""
	case loopMark:
		return m.loop != nil && m.loop.until.IsZero()
	case pressureDir(ofMemory):
		return m.asked[path] != ""
	case pressureDir(ofCPU):
		return m.asked[path] != ""
	}
	if what, ok := strings.CutPrefix(path, "/run/hachaos/hold."); ok {
		return m.holds[what] != ""
	}
	_, ok := m.files[path]
	return ok
}

func (m *heldMachine) exec(argv []string) (topology.Output, error) {
	switch argv[0] {
	case "test":
		if m.exists(argv[2]) {
			return topology.Output{}, nil
		}
		return topology.Output{Code: 1}, nil
	case "ps":
		return text("%s", m.letters("S", "T"))
	case appStart:
		if len(argv) == 1 || argv[1] == m.name {
			m.start()
		}
		return topology.Output{}, nil
	case "rm":
		for _, path := range argv[2:] {
			delete(m.files, path)
			delete(m.holds, strings.TrimPrefix(path, "/run/hachaos/hold."))
			if path == restartStatus {
				m.restart = ""
			}
		}
		return topology.Output{}, nil
	case "/bin/sh", "bash":
		return m.script(argv)
	}
	return topology.Output{}, errUnasked
}

// letters are the states of its two processes, each in a line.
func (m *heldMachine) letters(running, stopped string) string {
	if m.pid == 0 {
		return ""
	}
	return strings.Repeat(stopped+"\n", m.stopped) + strings.Repeat(running+"\n", 2-m.stopped)
}

var heldArming = regexp.MustCompile(`^mkdir -p /run/hachaos/crash && chmod 777 /run/hachaos/crash && : >/run/hachaos/crash/(\S+)$`)

func (m *heldMachine) script(argv []string) (topology.Output, error) {
	p := supervised{name: m.name}
	switch {
	case slices.Equal(argv, p.killed()):
		m.end()
		m.killed = m.gone
	case slices.Equal(argv, p.stopped()):
		m.stopped, m.frozen = 2, heldEpoch(time.Now())+" "+heldEpoch(time.Now().Add(time.Millisecond))
	case slices.Equal(argv, p.thawed()):
		m.stopped = 0
	case slices.Equal(argv, p.looked()), argv[2] == crashed:
		return text("%s", m.process())
	case slices.Equal(argv, p.states()):
		note := m.frozen
		if note == "" {
			note = "-"
		}
		return text("%s--\n%s\n", m.letters("S", "T"), note)
	case heldArming.MatchString(argv[2]):
		m.armed = heldArming.FindStringSubmatch(argv[2])[1]
	case argv[2] == disarm:
		m.armed, m.mark = "", ""
	case argv[2] == crashPoint:
		mark := m.mark
		if mark == "" {
			mark = "-"
		}
		return text("%s \n%s\n%s", m.armed, mark, m.process())
	case argv[2] == noLoop:
		if m.loop != nil && m.loop.until.IsZero() {
			m.pid = m.alive()
			m.loop.until = time.Now()
		}
	case argv[2] == looping:
		return text("%s", m.looks())
	case strings.Contains(argv[2], "crash-loop.pid"):
		m.loop = heldLooping(argv[3])
	case argv[2] == ": >"+restartMark:
		m.files[restartMark] = time.Now()
	case argv[2] == restarted, strings.HasPrefix(argv[2], "stat -c %.9Y "+restartMark):
		status := m.restart
		if status == "" {
			status = "-"
		}
		if argv[2] != restarted {
			return text("%s\n", epochOf(m.files[restartMark]))
		}
		return text("%s\n%s\n", epochOf(m.files[restartMark]), status)
	case argv[2] == "test -e "+restartMark+" && echo yes || echo no":
		return text("%s\n", map[bool]string{true: "yes", false: "no"}[m.exists(restartMark)])
	case strings.HasPrefix(argv[2], "echo ") && strings.HasSuffix(argv[2], " >"+restartStatus):
		m.restart = strings.Fields(argv[2])[1]
	case len(argv) == 6 && strings.HasPrefix(argv[2], "cd /run/hachaos && echo "):
		m.holds[argv[4]] = argv[5]
	case len(argv) < 4:
		return topology.Output{}, errUnasked
	case argv[2] == pressing:
		return text("%s", m.pressure(argv[3]))
	case argv[2] == noPressure:
		delete(m.asked, argv[3])
	case strings.HasPrefix(argv[2], `mkdir -p "$0" && cd "$0"`):
		m.asked[argv[3]], m.before, m.pressed = argv[4], m.oom, time.Now()
	default:
		return topology.Output{}, errUnasked
	}
	return topology.Output{}, nil
}

func heldPid(pid int) string {
	if pid == 0 {
		return "-"
	}
	return strconv.Itoa(pid)
}

// process is what crashed prints.
func (m *heldMachine) process() string {
	return fmt.Sprintf("%s\n%s\n%s\n", epochOf(m.killed), epochOf(m.gone), heldPid(m.alive()))
}

// order is one that comes to the crash point, if that is armed.
func (m *heldMachine) order() {
	if m.armed != "" {
		m.mark = fmt.Sprintf("%s %d 12.1 k-12", m.armed, time.Now().UnixMicro())
		time.Sleep(time.Millisecond)
		m.end()
	}
}

// heldBytes is what the machine holds and cannot give back.
const heldBytes = 200 << 20

// pressure is what pressing prints of the folder. The processor's time that was used
// is as much as the quota allows since the act.
func (m *heldMachine) pressure(dir string) string {
	limit := "max"
	if l := m.limits().Memory; l > 0 {
		limit = strconv.FormatInt(l, 10)
	}
	cpu, periods := m.limits().CPU, int64(0)
	if cpu > 0 {
		periods = time.Since(m.pressed).Milliseconds() / 100
	}
	nanos := int64(cpu * float64(time.Since(m.pressed)))
	note := "- - -"
	if asked := m.asked[dir]; asked != "" {
		note = fmt.Sprintf("%s %d %s", asked, m.before, epochOf(m.pressed))
	}
	return fmt.Sprintf("%s %d %d %d %d %d %d\n%s\n", limit, heldBytes+1000, heldBytes, m.oom, nanos, periods, time.Now().UnixNano(), note)
}

// heldLoops is a loop of crashes as time passes.
type heldLoops struct {
	began, until time.Time
	life, rest   time.Duration
	dead         bool // its process is not there
}

var heldSleep = regexp.MustCompile(`\bsleep ([\d.]+)`)

func heldLooping(program string) *heldLoops {
	l := &heldLoops{began: time.Now()}
	for i, m := range heldSleep.FindAllStringSubmatch(program, 2) {
		seconds, _ := strconv.ParseFloat(m[1], 64)
		d := time.Duration(seconds * float64(time.Second))
		if i == 0 {
			l.rest = d
		} else {
			l.life = d
		}
	}
	return l
}

// said is what the loop wrote down by then, and the process that lives.
func (l *heldLoops) said(now time.Time) (lines []string, pid int) {
	if !l.until.IsZero() {
		now = l.until
	}
	pid = 30
	for at := l.began; !at.After(now); {
		lines = append(lines, fmt.Sprintf("end %s %d", epochOf(at), pid))
		next := pid + 1
		pid = 0
		if at = at.Add(l.rest); at.After(now) {
			break
		}
		pid = next
		lines = append(lines, "rested "+epochOf(at), fmt.Sprintf("start %s %d", epochOf(at), pid))
		at = at.Add(l.life)
	}
	return lines, pid
}

func (l *heldLoops) pid(now time.Time) int {
	_, pid := l.said(now)
	return pid
}

// looks is what looping prints.
func (m *heldMachine) looks() string {
	if m.loop == nil {
		return "off\n" + heldPid(m.pid) + "\n"
	}
	state := "on"
	switch {
	case !m.loop.until.IsZero():
		state = "off"
	case m.loop.dead:
		state = "part"
	}
	lines, _ := m.loop.said(time.Now())
	return state + "\n" + heldPid(m.alive()) + "\n" + strings.Join(lines, "\n") + "\n"
}
