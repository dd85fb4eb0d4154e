package topology

import (
	"fmt"
	"time"
)

// The scheduled job's numbers, the application's own defaults.
const (
	jobLease = 2 * time.Second        // of a lease that is not renewed
	jobPoll  = 250 * time.Millisecond // from one attempt to take or renew it to the next
	jobSlot  = 500 * time.Millisecond // in which the job is done once
	jobLook  = 100 * time.Millisecond // from one look for a new slot to the next
)

// JobSlot is the time in which the scheduled job is due once.
const JobSlot = jobSlot

// job bounds the time between two effects of the scheduled job. Its owner did
// the last a whole slot and a look before it died, renewed its lease at that
// moment, and the lease has to run out before another's poll finds it so,
// whose worker then looks once.
func (b boundMaker) job() Bound {
	return Bound{
		Name:    BoundJob,
		Limit:   jobSlot + jobLook + jobLease + jobPoll + jobLook + b.allowance,
		Formula: fmt.Sprintf("slot %s + look %s + lease %s + poll %s + look %s + allowance %s", jobSlot, jobLook, jobLease, jobPoll, jobLook, b.allowance),
		Source:  "seed 003 §18: a lock has an expiry and its owner renews it",
		File:    "fixtures/images/jetty/src/hachaos/shop/JobSettings.java",
	}
}
