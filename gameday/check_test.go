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
	holds, missing := []Truth{{Held: 2}}, []Truth{{Missed: 2}}
	c := &Checked{Said: []Said{
		{Document: "blind", Of: missing},
		{Document: "elsewhere", Of: missing},
		{Document: "elsewhere", Of: holds, Complaint: "x"},
		{Document: "seen", Of: holds, Complaint: "x"},
		{Document: "seen", Of: missing, Complaint: "x"},
		{Document: "seen", Of: holds},
	}}
	require.Equal(t, Unnoticed, c.Sight("blind"))
	require.Equal(t, Elsewhere, c.Sight("elsewhere"))
	require.Equal(t, Seen, c.Sight("seen"))
	require.Equal(t, Unnoticed, c.Sight("another"))
}

func TestCheckedDecided(t *testing.T) {
	good := Checked{Run: harness.VerdictInconclusive, Said: []Said{{}}}
	require.True(t, good.Decided(), "the users' data is not what is asked")
	for name, change := range map[string]func(*Checked){
		"no symptom": func(c *Checked) { c.NoSymptom = "x" },
		"broken off": func(c *Checked) { c.BrokenOff = "x" },
		"an error":   func(c *Checked) { c.Run = harness.VerdictError },
		"nothing":    func(c *Checked) { c.Said = nil },
	} {
		c := good
		change(&c)
		require.False(t, c.Decided(), name)
	}
}

// Each check is carried out whatever the others said, with what they captured, and
// its word stands between the looks before and after it.
func TestChecksAreCarriedOut(t *testing.T) {
	text := "---\ntitle: t\nkind: checks\n---\n\n## Verification\n\n### One\n\n" + sh("a=1; exit 3") + prints("x") +
		"\n**Expect:** `nodes-routed` within `1s`.\n\n### Two\n\n" + sh("b=2; echo \"${b}\"") + prints("2") +
		"\n**Expect:** `no-such-state` within `1s`.\n\n### For people\n\nA word.\n\n### Three\n\n" + sh("echo \"$b\"") + prints("2") + "\n**Expect:** `disk-free` within `1s`.\n"
	d, err := runbook.Parse("checks.md", []byte(text))
	require.NoError(t, err)
	sys := testSystem()
	c := &checking{documents: []*runbook.Runbook{d}, checked: &Checked{}, now: func() time.Duration { return time.Second }}
	c.out = &Outcome{}
	c.trial.Control = OnHealthy
	c.system = func() *System { return sys }
	require.NoError(t, c.Inject(t.Context(), nil, nil))
	got := c.checked
	require.Len(t, got.Said, 3)
	require.Equal(t, "One", got.Said[0].Check)
	require.Contains(t, got.Said[0].Complaint, "status 3")
	require.Equal(t, 2, got.Said[0].Of[0].Missed, "the balancer of this system tells nothing")
	require.Equal(t, Right, got.Said[0].Worth())
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
	require.Greater(t, c.Takes(), 2*symptomWithin)
}

func TestLookedCounts(t *testing.T) {
	l := looked{}
	l.add(map[string]error{"a": nil, "b": errors.New("x")})
	l.add(map[string]error{"a": nil, "b": errors.New("y")})
	l.add(map[string]error{"a": errors.New("z"), "b": nil})
	l.add(map[string]error{"a": unseen{errors.New("u")}, "b": nil})
	require.Equal(t, []Truth{{State: "a", Held: 2, Missed: 1, Unseen: 1, Missing: "u"}, {State: "b", Held: 2, Missed: 2, Missing: "y"}}, l.truths())
}
