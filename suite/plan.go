package suite

import (
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/hachaos/hachaos/harness"
)

// Job is one run to be made.
type Job struct {
	Scenario harness.Scenario
	Options  harness.Options
	// Repetition counts from 1 to Of.
	Repetition, Of int
}

// Name is the job in words: "db-slow", or "db-slow 2/3".
func (j Job) Name() string {
	if j.Of <= 1 {
		return j.Scenario.Name
	}
	return fmt.Sprintf("%s %d/%d", j.Scenario.Name, j.Repetition, j.Of)
}

// Plan lists the jobs: each scenario as often as repeat says (at least once).
// Scenarios of the same shape stand together, so that they can share a
// topology; otherwise the order is the one given. options gives a scenario's
// own; its seed is replaced by the repetition's: see Seed.
func Plan(list []harness.Scenario, options func(harness.Scenario) harness.Options, base uint64, repeat int, shape func(Job) string) []Job {
	repeat = max(1, repeat)
	var jobs []Job
	for _, s := range list {
		for i := range repeat {
			j := Job{Scenario: s, Options: options(s), Repetition: i + 1, Of: repeat}
			j.Options.Seed = Seed(base, i+1)
			jobs = append(jobs, j)
		}
	}
	first := map[string]int{}
	for i, j := range jobs {
		if _, seen := first[shape(j)]; !seen {
			first[shape(j)] = i
		}
	}
	slices.SortStableFunc(jobs, func(a, b Job) int { return first[shape(a)] - first[shape(b)] })
	return jobs
}

// maxSeed keeps seeds exact in readers whose numbers are floating-point, as
// the harness does.
const maxSeed = 1<<53 - 1

// Seed is the seed of a suite's ith repetition, from 1: the first is base
// itself, the others follow from base and i alone (FNV-1a of both), so that
// one can be repeated by itself. It is never 0.
func Seed(base uint64, i int) uint64 {
	if i <= 1 {
		return max(1, base)
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%d", base, i)
	return 1 + h.Sum64()%maxSeed
}
