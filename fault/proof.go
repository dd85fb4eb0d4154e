package fault

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/topology"
)

// sight is one look at one victim.
type sight struct {
	ok       bool
	measured string // in words, without the node's name
	how      []string
	from, to time.Time // when it took effect, engine's clock; zero if unknown
}

// see adds an observation; any that contradicts the fault spoils the sight.
func (s *sight) see(ok bool, format string, args ...any) {
	s.ok = s.ok && ok
	s.how = append(s.how, fmt.Sprintf(format, args...))
}

// prove looks at all victims at the same time until the proof holds for each, or
// ctx ends: a look may take seconds, and victims may be many.
func prove[V interface{ Name() string }](ctx context.Context, asked string, vs []V, look func(context.Context, V) (sight, error)) (Proof, error) {
	return await(ctx, func(ctx context.Context) (Proof, error) {
		p := Proof{OK: true, Asked: asked}
		sights, errs := make([]sight, len(vs)), make([]error, len(vs))
		var wg sync.WaitGroup
		for i, v := range vs {
			wg.Go(func() { sights[i], errs[i] = look(ctx, v) })
		}
		wg.Wait()
		var measured []string
		for i, v := range vs {
			if errs[i] != nil {
				return Proof{}, fmt.Errorf("%s: %w", v.Name(), errs[i])
			}
			p.add(v.Name(), sights[i])
			measured = append(measured, v.Name()+": "+sights[i].measured)
		}
		p.Measured = strings.Join(measured, "; ")
		return p, nil
	})
}

// add takes a victim's sight into the proof: it holds if it holds for all,
// and took effect from the first to the last.
func (p *Proof) add(node string, s sight) {
	p.OK = p.OK && s.ok
	for _, h := range s.how {
		p.How = append(p.How, node+": "+h)
	}
	if !s.from.IsZero() && (p.From.IsZero() || s.from.Before(p.From)) {
		p.From = s.from
	}
	if s.to.After(p.To) {
		p.To = s.to
	}
}

// stamp prints the engine's times in proofs.
const stamp = "15:04:05.000000"

// exitKilled is the status of a process that SIGKILL ended: 128 + 9.
const exitKilled = 137

// seeKilled looks whether the engine says that the container was killed.
func seeKilled(s *sight, st topology.State) {
	if st.Running {
		s.measured = "running"
		s.see(false, "the engine says it runs, since %s", st.StartedAt.UTC().Format(stamp))
		return
	}
	s.measured = fmt.Sprintf("not running, exit status %d", st.ExitCode)
	s.see(st.ExitCode == exitKilled && !st.FinishedAt.IsZero(),
		"the engine says it ended at %s with exit status %d", st.FinishedAt.UTC().Format(stamp), st.ExitCode)
	s.to = st.FinishedAt
}

// seeGone looks whether the engine says that the container ended by SIGKILL,
// and an attempt to connect ends in one of the ways.
func seeGone(ctx context.Context, v victim, ends ...string) (sight, error) {
	s := sight{ok: true}
	st, err := v.Inspect(ctx)
	if err != nil {
		return s, err
	}
	seeKilled(&s, st)
	if !s.ok {
		return s, nil
	}
	return s, seeConnect(ctx, &s, v, ends...)
}

// seeInside asks the engine whether the container runs, and if so, has it run
// the script and returns what that prints.
func seeInside(ctx context.Context, v victim, script string) (sight, string, error) {
	s := sight{ok: true}
	st, err := v.Inspect(ctx)
	if err != nil {
		return s, "", err
	}
	if !st.Running {
		s.measured = "container not running"
		s.see(false, "the engine says that the container does not run")
		return s, "", nil
	}
	s.see(true, "the engine says that the container runs, since %s", st.StartedAt.UTC().Format(stamp))
	out, err := v.Exec(ctx, "/bin/sh", "-c", script)
	return s, string(out.Stdout), succeed(out, err)
}

// seeStarted looks whether the engine says that the container was started
// after it last ended.
func seeStarted(s *sight, st topology.State) {
	if !st.Running || st.Paused {
		s.measured = "not running"
		s.see(false, "the engine says it does not run")
		return
	}
	s.measured = "running"
	s.see(st.StartedAt.After(st.FinishedAt), "the engine says it runs since %s, after its end at %s",
		st.StartedAt.UTC().Format(stamp), st.FinishedAt.UTC().Format(stamp))
	s.to = st.StartedAt
}

// seeConnect looks how an attempt to connect ends; want says which ends
// agree with the fault. A victim that serves no known port is not asked.
func seeConnect(ctx context.Context, s *sight, v victim, want ...string) error {
	if !v.addr.IsValid() {
		s.how = append(s.how, "it serves no known port, so none was tried")
		return nil
	}
	got, err := v.connect(ctx)
	if err != nil {
		return err
	}
	ok := false
	for _, w := range want {
		ok = ok || w == got
	}
	s.measured += ", " + v.port() + " " + got
	s.see(ok, "%s, tried from outside: %s", v.port(), got)
	return nil
}

// seeBack is the sight of a victim whose container was started again.
func seeBack(ctx context.Context, v victim) (sight, error) {
	s := sight{ok: true}
	st, err := v.Inspect(ctx)
	if err != nil {
		return s, err
	}
	seeStarted(&s, st)
	if !s.ok {
		return s, nil
	}
	return s, seeConnect(ctx, &s, v, connected)
}
