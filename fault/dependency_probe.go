package fault

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// probeHTTP is the command for n requests, some at a time, each on a
// connection of its own and for at most limit; each prints curl's status and
// its time in seconds.
func probeHTTP(to netip.AddrPort, n, parallel int, limit time.Duration) []string {
	return []string{
		"curl", "-s", "--parallel", "--parallel-immediate", "--parallel-max", strconv.Itoa(parallel),
		"-o", "/dev/null", "-w", "%{http_code} %{time_total}\n",
		"--max-time", strconv.FormatFloat(limit.Seconds(), 'f', 3, 64), "--no-keepalive", "-H", "Connection: close",
		fmt.Sprintf("http://%s/probe?[1-%d]", to, n),
	}
}

// noStatus is curl's word for a request that no answer came to.
const noStatus = "000"

// askHTTP asks from beside a node. An answer other than 200 counts as
// probeUnwilling; what is not answered is counted by how it ended: probeSilent
// when the time was up, probeClosed otherwise.
func askHTTP(ctx context.Context, from topology.Namespace, to netip.AddrPort, n, parallel int, limit time.Duration) (probes, error) {
	out, err := from.InNamespace(ctx, probeHTTP(to, n, parallel, limit)...)
	if err != nil {
		return probes{}, fmt.Errorf("ask %s from %s: %w", to, from.Name(), err)
	}
	return parseHTTP(string(out.Stdout), n, limit)
}

// byAskers has look see a way to a service from beside each application node that
// runs, all at the same time: those are whom a fault of the service makes suffer, and
// it must hold for each. Without one there is no proof.
func (w way) byAskers(ctx context.Context, s *sight, look func(context.Context, *sight, topology.Namespace) error) error {
	var from []topology.Namespace
	for _, n := range w.askers {
		if !runs(ctx, n) {
			continue
		}
		ns, err := namespace(n)
		if err != nil {
			return err
		}
		from = append(from, ns)
	}
	sights, errs := make([]sight, len(from)), make([]error, len(from))
	var wg sync.WaitGroup
	for i, ns := range from {
		sights[i].ok = true
		wg.Go(func() { errs[i] = look(ctx, &sights[i], ns) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	var measured []string
	for i, ns := range from {
		s.ok = s.ok && sights[i].ok
		s.how = append(s.how, sights[i].how...)
		measured = append(measured, sights[i].measured+" from "+ns.Name())
	}
	s.measured = strings.Join(measured, ", ")
	if len(from) == 0 {
		s.measured = "nobody to ask it"
		s.see(false, "application nodes that run: 0 of %d", len(w.askers))
	}
	return nil
}

// parseHTTP reads what probeHTTP prints.
func parseHTTP(text string, made int, limit time.Duration) (probes, error) {
	p := probes{ended: map[string]int{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		status, seconds, _ := strings.Cut(strings.TrimSpace(line), " ")
		s, err := strconv.ParseFloat(seconds, 64)
		if err != nil {
			return p, fmt.Errorf("probe by HTTP: %q: want a status and seconds", line)
		}
		took := time.Duration(s * float64(time.Second))
		switch {
		case status == "200":
			p.answered = append(p.answered, took)
		case status != noStatus:
			p.ended[probeUnwilling]++
		case took >= limit*9/10:
			p.ended[probeSilent]++
		default:
			p.ended[probeClosed]++
		}
	}
	if n != made {
		return p, fmt.Errorf("probe by HTTP: %d of %d probes ended", n, made)
	}
	slices.Sort(p.answered)
	return p, nil
}
