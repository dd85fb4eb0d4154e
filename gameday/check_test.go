package gameday

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/runbook"
)

func TestWorth(t *testing.T) {
	holds, missing := Truth{State: "a", Held: 2}, Truth{State: "b", Missed: 2, Missing: "m"}
	moving, never, hidden := Truth{State: "c", Held: 1, Missed: 1}, Truth{State: "d"}, Truth{State: "e", Missed: 1, Unseen: 1}
	for _, tt := range []struct {
		name      string
		of        []Truth
		complaint string
		want      Worth
	}{
		{"all is well, and so it is", []Truth{holds}, "", Right},
		{"all is well, and it is not", []Truth{holds, missing}, "", Blind},
		{"it complains with reason", []Truth{holds, missing}, "x", Right},
		{"it complains without", []Truth{holds}, "x", FalseAlarm},
		{"what it speaks of comes and goes", []Truth{holds, moving}, "", Undecided},
		{"it complains of what comes and goes", []Truth{moving}, "x", Undecided},
		{"what is missing outweighs that", []Truth{moving, missing}, "", Blind},
		{"it cannot be seen", []Truth{holds, hidden}, "", Undecided},
		{"it complains, and it cannot be seen", []Truth{hidden}, "x", Undecided},
		{"nobody looked", []Truth{never}, "", Undecided},
		{"nobody looked, and it complains", []Truth{holds, never}, "x", Undecided},
		{"it speaks of nothing", nil, "", Right},
		{"it speaks of nothing, and complains", nil, "x", FalseAlarm},
	} {
		require.Equal(t, tt.want, Said{Of: tt.of, Complaint: tt.complaint}.Worth(), tt.name)
	}
}

func TestSight(t *testing.T) {
	holds, missing, moving := []Truth{{Held: 2}}, []Truth{{Missed: 2}}, []Truth{{Held: 1, Missed: 1}}
	blind, right := Said{Of: missing}, Said{Of: missing, Complaint: "x"}
	alarm, perhaps := Said{Of: holds, Complaint: "x"}, Said{Of: moving, Complaint: "x"}
	hung, unmade := Said{Of: missing, Hung: "x"}, Said{Of: missing, Unmade: "x"}
	require.Equal(t, Hangs, hung.Worth())
	require.Equal(t, Undecided, unmade.Worth())
	for _, tt := range []struct {
		want Sight
		said []Said
	}{
		{Unnoticed, nil},
		{Unnoticed, []Said{blind, {Of: holds}}},
		{Unnoticed, []Said{unmade}},
		{Mute, []Said{blind, hung}},
		{Elsewhere, []Said{hung, alarm}},
		{Unclear, []Said{alarm, perhaps}},
		{Seen, []Said{perhaps, right, blind}},
	} {
		require.Equal(t, tt.want, Round{Said: tt.said}.Sight())
	}
	during, healthy := Checked{Incident: "db-slow"}, Checked{}
	require.True(t, during.Well(Round{Said: []Said{right, blind}}))
	require.False(t, during.Well(Round{Said: []Said{right, alarm}}), "a false alarm is one during an incident, too")
	require.False(t, during.Well(Round{Said: []Said{perhaps}}))
	require.True(t, healthy.Well(Round{Said: []Said{{Of: holds}}}))
	require.False(t, healthy.Well(Round{Said: []Said{alarm}}))
	require.False(t, healthy.Well(Round{Said: []Said{hung}}))
}

func TestCheckedUndecided(t *testing.T) {
	good := Checked{Run: harness.VerdictInconclusive, Rounds: []Round{{Document: "d"}}}
	require.Empty(t, good.Undecided(), "the users' data is not what is asked")
	for want, change := range map[string]func(*Checked){
		"no symptom: x":     func(c *Checked) { c.NoSymptom = "x" },
		"broken off: x":     func(c *Checked) { c.BrokenOff, c.NoSymptom = "x", "y" },
		"gone":              func(c *Checked) { c.Run, c.Reason = harness.VerdictError, "gone" },
		"no check was made": func(c *Checked) { c.Rounds = nil },
		"e: it was over":    func(c *Checked) { c.Rounds = []Round{{Document: "d"}, {Document: "e", Amiss: "it was over"}} },
	} {
		c := good
		change(&c)
		require.Equal(t, want, c.Undecided())
	}
}

// What was carried out is a complaint; what could not be is none.
func TestComplaints(t *testing.T) {
	for _, tt := range []struct {
		name, checks            string
		down                    bool
		complaint, hung, unmade string
	}{
		{name: "a status", checks: sh("exit 3"), complaint: "status 3"},
		{name: "another output", checks: sh("echo no") + prints("yes"), complaint: `"yes" is expected`},
		{name: "a node that does not run", checks: sh("true", "on=lb1"), down: true, complaint: "the node does not run"},
		{name: "too long", checks: sh("sleep 20", "timeout=1s"), hung: "it took more than its 1s"},
		{name: "no such place", checks: sh("true", "on=database"), unmade: "no node of this name or role"},
		{name: "a variable that nobody set", checks: sh("true", "on=$node"), unmade: "no command gave node a value"},
		{name: "variables that are not told", checks: sh("trap 'true' EXIT; a=1"), unmade: "cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sys := testSystem()
			for _, n := range sys.Nodes() {
				if h := n.(*host); h.name == "lb1" {
					h.down = tt.down
				}
			}
			d := checksDocument(t, "### One\n\n"+tt.checks)
			x := Execution{Book: d, System: sys, Plan: checksOf(d)}
			got := said(checksOf(d)[0], x.Run(t.Context()), nil, nil)
			for _, one := range []struct{ want, got string }{{tt.complaint, got.Complaint}, {tt.hung, got.Hung}, {tt.unmade, got.Unmade}} {
				if one.want == "" {
					require.Empty(t, one.got)
				} else {
					require.Contains(t, one.got, one.want)
				}
			}
		})
	}
}

// An incident must last, and where there is none, nothing may be missing.
func TestRoundsAmiss(t *testing.T) {
	b, err := runbook.Parse("b.md", []byte("---\ntitle: t\nrestores: [nodes-routed, disk-free]\n---\n"))
	require.NoError(t, err)
	c := &checking{}
	c.trial.Book = b
	well, ill := map[string]error{"nodes-routed": nil, "disk-free": nil}, map[string]error{"nodes-routed": nil, "disk-free": errors.New("x")}
	require.Empty(t, c.amiss(Round{}, ill, ill))
	require.Contains(t, c.amiss(Round{}, ill, well), "did not last")
	require.Contains(t, c.amiss(Round{}, well, ill), "did not last")
	c.trial.Control = OnHealthy
	require.Empty(t, c.amiss(Round{Truth: []Truth{{State: "a", Held: 3}}}, well, well))
	require.Contains(t, c.amiss(Round{Truth: []Truth{{State: "a", Held: 2, Missed: 1, Missing: "m"}}}, well, well), "a did not always hold: m")
	require.Contains(t, c.amiss(Round{Truth: []Truth{{State: "a", Held: 2, Unseen: 1}}}, well, well), "a did not always hold")
}

// checksDocument is one with these checks.
func checksDocument(t *testing.T, checks string) *runbook.Runbook {
	t.Helper()
	d, err := runbook.Parse("checks.md", []byte("---\ntitle: t\nkind: checks\n---\n\n## Verification\n\n"+checks))
	require.NoError(t, err)
	return d
}

// Each check is carried out whatever the others said, with what they captured, and
// its word stands between the looks before and after it.
func TestChecksAreCarriedOut(t *testing.T) {
	d := checksDocument(t, "### One\n\n"+sh("a=1; exit 3")+prints("x")+
		"\n**Expect:** `nodes-routed` within `1s`.\n\n### Two\n\n"+sh("b=2; echo \"${b}\"")+prints("2")+
		"\n**Expect:** `no-such-state` within `1s`.\n\n### For people\n\nA word.\n\n### Three\n\n"+sh("echo \"$b\"")+prints("2")+"\n**Expect:** `disk-free` within `1s`.\n")
	sys := testSystem()
	c := &checking{documents: []*runbook.Runbook{d}, checked: &Checked{}}
	c.now = func() time.Duration { return time.Second }
	c.out = &Outcome{}
	c.trial.Control = OnHealthy
	c.system = func() *System { return sys }
	require.NoError(t, c.Inject(t.Context(), nil, nil))
	require.Len(t, c.checked.Rounds, 1)
	require.Empty(t, c.checked.NoSymptom)
	got := c.checked.Rounds[0]
	require.Len(t, got.Said, 3)
	require.Contains(t, got.Amiss, "nothing was to be wrong")
	require.Equal(t, "One", got.Said[0].Check)
	require.Contains(t, got.Said[0].Complaint, "status 3")
	require.Equal(t, 2, got.Said[0].Of[0].Unseen, "the balancer of this system tells nothing")
	require.Equal(t, Undecided, got.Said[0].Worth())
	require.Empty(t, got.Said[1].Complaint)
	require.Equal(t, Undecided, got.Said[1].Worth())
	require.Empty(t, got.Said[2].Complaint, "it knows what the second captured")
	require.Len(t, got.Truth, len(lookers))
	for _, truth := range got.Truth {
		require.Equal(t, 4, truth.Held+truth.Missed+truth.Unseen, truth.State)
	}
	p, err := c.Active(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "3 made", p.Measured)
	require.Greater(t, c.Takes(), symptomWithin+3*lookWithin)
}

func TestLookedCounts(t *testing.T) {
	l := looked{}
	l.add(map[string]error{"a": nil, "b": errors.New("x")})
	l.add(map[string]error{"a": nil, "b": errors.New("y")})
	l.add(map[string]error{"a": errors.New("z"), "b": nil})
	l.add(map[string]error{"a": unseen{errors.New("u")}, "b": nil})
	require.Equal(t, []Truth{{State: "a", Held: 2, Missed: 1, Unseen: 1, Missing: "u"}, {State: "b", Held: 2, Missed: 2, Missing: "y"}}, l.truths())
}
