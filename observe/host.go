package observe

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hachaos/hachaos/history"
)

// host samples the load of the machine that the generator runs on.
type host struct {
	env env
	// stat is Linux's /proc/stat; elsewhere there is none and the stream is
	// incomplete.
	stat string
	// pressure is /proc/pressure/io, which not every kernel has.
	pressure string
}

// Name implements Observer.
func (h *host) Name() string { return "host" }

// Observe implements Observer.
func (h *host) Observe(ctx context.Context, sink history.Sink) error {
	a := &account{stream: history.StreamHost}
	defer settle(sink, h.env.clock.Now, a)
	before, err := h.read()
	if err != nil {
		a.lack("%v", err)
		return err
	}
	p := poller{every: hostEvery, within: hostEvery, alone: true}
	first := true
	gap := p.run(ctx, func(context.Context) {
		if first { // nothing has passed yet
			first = false
			return
		}
		now, err := h.read()
		if err != nil {
			a.miss(1, "%v", err)
			return
		}
		if v, ok := loadBetween(before, now); ok {
			a.saw()
			put(sink, history.StreamHost, h.env.clock.Now(), "", v)
		}
		before = now
	})
	a.looked(gap, p.limit())
	return nil
}

func (h *host) read() (hostTimes, error) {
	text, err := os.ReadFile(h.stat)
	if err != nil {
		return hostTimes{}, fmt.Errorf("load of the host: %w", err)
	}
	t := hostTimes{at: h.env.clock.Now()}
	if t.cpuTimes, err = parseCPU(string(text)); err != nil {
		return t, err
	}
	if text, err := os.ReadFile(h.pressure); err == nil {
		t.waited = parsePressure(string(text))
	}
	return t, nil
}

// hostTimes are what was spent since boot, as seen at a moment of the run.
type hostTimes struct {
	at time.Duration
	cpuTimes
	waited time.Duration // by anything, for a disk; 0 if nobody knows
}

// cpuTimes are the ticks that all cores have spent since boot.
type cpuTimes struct{ total, idle, steal uint64 }

// parsePressure reads /proc/pressure/io, whose first line ends in the microseconds in
// which some task waited, the processors' own weighed by how much each worked (Linux,
// Documentation/accounting/psi.rst, and kernel/sched/psi.c); 0 for any other text.
func parsePressure(text string) time.Duration {
	line, _, _ := strings.Cut(text, "\n")
	some, total, ok := strings.Cut(line, " total=")
	n, err := strconv.ParseInt(total, 10, 64)
	if !ok || err != nil || n < 0 || n > math.MaxInt64/int64(time.Microsecond) || !strings.HasPrefix(some, "some ") {
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

// errNoCPU: the file is not Linux's /proc/stat.
var errNoCPU = errors.New("load of the host: no line \"cpu\" with eight times")

// parseCPU reads the first line of /proc/stat: user nice system idle iowait
// irq softirq steal guest guest_nice. Guest time is part of user's already.
func parseCPU(text string) (cpuTimes, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return cpuTimes{}, errNoCPU
	}
	var t cpuTimes
	for i, f := range fields[1:9] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return cpuTimes{}, fmt.Errorf("load of the host: %w", err)
		}
		t.total += n
		switch i {
		case 3, 4: // idle, and waiting for a disk
			t.idle += n
		case 7:
			t.steal = n
		}
	}
	return t, nil
}

// loadBetween is the load between two looks; false if no time passed, or a
// counter went back.
func loadBetween(a, b hostTimes) (history.Host, bool) {
	if b.total <= a.total || b.idle < a.idle || b.steal < a.steal {
		return history.Host{}, false
	}
	total := float64(b.total - a.total)
	idle, steal := float64(b.idle-a.idle), float64(b.steal-a.steal)
	if idle+steal > total {
		return history.Host{}, false
	}
	load := history.Host{Busy: (total - idle - steal) / total, Steal: steal / total}
	if a.waited > 0 && b.waited >= a.waited && b.at > a.at {
		load.Disk = min(1, float64(b.waited-a.waited)/float64(b.at-a.at))
	}
	return load, true
}
