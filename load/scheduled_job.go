package load

import (
	"context"
	"fmt"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// ScheduledJob is a companion that asks nothing of the system: in the end it
// reads from the database what the application's scheduled job did during
// the load (table job_effects).
type ScheduledJob struct{}

// Kind is "scheduled-job".
func (ScheduledJob) Kind() string { return "scheduled-job" }

// Validate finds nothing to refuse.
func (ScheduledJob) Validate() error { return nil }

// Streams are what it journals.
func (ScheduledJob) Streams() []string { return []string{history.StreamJob} }

// Run waits for the load's end.
func (j ScheduledJob) Run(ctx context.Context, _ Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	from := clock.Now()
	<-ctx.Done()
	until := clock.Now()
	return func(ctx context.Context, c topology.Cluster) error {
		seen, err := readRows(ctx, c, jobEffects(clock.Start().Add(from), clock.Start().Add(until)), func(e jobEffect) {
			sink.Put(history.Observe(clock.At(time.UnixMicro(e.Micros)), e.JobEffect))
		})
		if err != nil {
			return err
		}
		sink.Put(history.Observe(clock.Now(), history.Coverage{Stream: history.StreamJob, Source: j.Kind(), Complete: true, Seen: seen}))
		return nil
	}, nil
}

// jobEffect is a row with its time.
type jobEffect struct {
	history.JobEffect
	Micros int64 `json:"micros"` // of the database's wall clock
}

// jobEffects is the query for the effects between two times of the wall clock.
func jobEffects(from, until time.Time) string {
	return fmt.Sprintf("SELECT id AS row, slot, token, owner, floor(extract(epoch FROM at) * 1000000)::bigint AS micros"+
		" FROM job_effects WHERE at BETWEEN to_timestamp(%d / 1000000.0) AND to_timestamp(%d / 1000000.0) ORDER BY id",
		from.UnixMicro(), until.UnixMicro())
}
