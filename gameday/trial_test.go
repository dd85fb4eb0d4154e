package gameday

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/runbook"
)

// stand is a system whose states are files: a state holds while its file is there.
type stand struct {
	*System
	dir string
}

func newStand(t *testing.T, hold ...string) stand {
	s := stand{testSystem(), t.TempDir()}
	s.lookers = map[string]looker{}
	for _, state := range []string{"served", "saved", "free"} {
		s.lookers[state] = func(context.Context, *System) error {
			if _, err := os.Stat(filepath.Join(s.dir, state)); err != nil {
				return errors.New("it is gone")
			}
			return nil
		}
	}
	for _, state := range hold {
		s.set(t, state, true)
	}
	return s
}

// set makes a state hold, or not.
func (s stand) set(t *testing.T, state string, holds bool) {
	t.Helper()
	path := filepath.Join(s.dir, state)
	if holds {
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		return
	}
	require.NoError(t, os.RemoveAll(path))
}

// carry is the act of a runbook that restores served, on the stand.
func (s stand) carry(b *runbook.Runbook, c Control) *carrying {
	b.Front.Restores = []runbook.Name{{Name: "served"}}
	trial := Trial{Book: b, Control: c, Patience: 20 * time.Second, Variant: Variant{Plan: Whole(b)}}
	out := &Outcome{Alert: -1, Symptom: -1, Restored: -1}
	return &carrying{acting: acting{b.Name}, trial: trial, out: out, system: func() *System { return s.System }, now: func() time.Duration { return 0 }}
}

// TestOnAnotherIncident: what the steps take away is for the worse, and nothing else.
func TestOnAnotherIncident(t *testing.T) {
	tests := []struct {
		name             string
		hold             []string
		diagnosis, steps string
		meanwhile        func(*testing.T, stand)
		worse            string
		steppedIn        bool
	}{
		{name: "it takes away what was there", hold: []string{"served", "free"}, steps: "rm free", worse: "free: it is gone", steppedIn: true},
		{name: "it takes nothing away", hold: []string{"served", "free"}, steps: "touch saved", steppedIn: true},
		{name: "its diagnosis tells it apart", hold: []string{"served", "free"}, diagnosis: "rm free; exit 1", steps: "true"},
		{
			name: "the incident goes on to take away more", hold: []string{"served", "free"}, steps: "true", steppedIn: true,
			meanwhile: func(t *testing.T, s stand) { time.AfterFunc(3*time.Second, func() { s.set(t, "free", false) }) },
		},
		{
			name: "the incident shows late", hold: []string{"served", "saved", "free"}, steps: "true", steppedIn: true,
			meanwhile: func(t *testing.T, s stand) { time.AfterFunc(8*time.Second, func() { s.set(t, "free", false) }) },
		},
		{
			name: "it comes back in time", hold: []string{"served", "free"}, steps: "rm free", steppedIn: true,
			meanwhile: func(t *testing.T, s stand) {
				time.AfterFunc(unchanged+10*time.Second, func() { s.set(t, "free", true) })
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStand(t, tt.hold...)
				diagnosis := ""
				if tt.diagnosis != "" {
					diagnosis = sh("cd " + s.dir + "; " + tt.diagnosis)
				}
				c := s.carry(book(t, "", diagnosis, step1+sh("cd "+s.dir+"; "+tt.steps)), OnAnother)
				if tt.meanwhile != nil {
					tt.meanwhile(t, s)
				}
				require.NoError(t, c.Inject(t.Context(), nil, nil))
				require.Equal(t, tt.steppedIn, c.out.Transcript.steps(), c.out.Transcript.Reason)
				if tt.worse == "" {
					require.Empty(t, c.out.Worse)
				} else {
					require.Contains(t, c.out.Worse, tt.worse)
				}
				require.Equal(t, "it is another incident", c.out.NoSymptom)
			})
		})
	}
}

// TestOnAHealthySystem: a runbook that is not needed leaves all as it was.
func TestOnAHealthySystem(t *testing.T) {
	tests := []struct {
		name, steps       string
		hold              []string
		broken, worse     string
		missing, restored bool
	}{
		{name: "it does nothing", hold: []string{"served", "free"}, steps: "true", restored: true},
		{name: "it takes away what it does not restore", hold: []string{"served", "free"}, steps: "rm free", restored: true, worse: "free: it is gone"},
		{name: "it takes away what it restores", hold: []string{"served", "free"}, steps: "rm served", missing: true},
		{name: "the system is not healthy", hold: []string{"free"}, steps: "true", broken: "was not there on a healthy system: within 15s: served: it is gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStand(t, tt.hold...)
				c := s.carry(book(t, "", "", step1+sh("cd "+s.dir+"; "+tt.steps)), OnHealthy)
				require.NoError(t, c.Inject(t.Context(), nil, nil))
				require.Equal(t, tt.restored, c.out.Restored >= 0)
				require.Equal(t, tt.missing, c.out.Missing != "", c.out.Missing)
				require.Equal(t, tt.worse != "", c.out.Worse != "")
				require.Contains(t, c.out.Worse, tt.worse)
				require.Equal(t, tt.broken != "", c.out.BrokenOff != "")
				require.Contains(t, c.out.BrokenOff, tt.broken)
				require.Equal(t, tt.broken == "", c.out.Transcript != nil, "it is not carried out on what is not healthy")
			})
		})
	}
}

// TestWhatWasUndoneShows: the undone incident is waited for, for as long as it may come.
func TestWhatWasUndoneShows(t *testing.T) {
	tests := []struct {
		name      string
		hold      []string
		meanwhile func(*testing.T, stand)
		from, to  time.Duration
	}{
		{name: "the symptom is there at once", to: 0},
		{name: "all is there all the while", hold: []string{"served", "saved"}, from: unchanged, to: unchanged + time.Second},
		{
			name: "the symptom comes late", hold: []string{"saved"}, from: 12 * time.Second, to: 13 * time.Second,
			meanwhile: func(t *testing.T, s stand) { time.AfterFunc(12*time.Second, func() { s.set(t, "saved", false) }) },
		},
		{name: "neither", hold: []string{"saved"}, from: symptomWithin, to: symptomWithin},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStand(t, tt.hold...)
				c := s.carry(book(t, sh("[ ! -e "+filepath.Join(s.dir, "saved")+" ]"), "", step1+sh("true")), StepsUndone)
				if tt.meanwhile != nil {
					tt.meanwhile(t, s)
				}
				began := time.Now()
				c.shows(t.Context(), s.System)
				require.GreaterOrEqual(t, time.Since(began), tt.from)
				require.LessOrEqual(t, time.Since(began), tt.to)
			})
		})
	}
}
