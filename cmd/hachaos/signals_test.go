package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whoever interrupts a command is told what becomes of what it does: one that reads
// what is recorded has no load to stop, and a runbook's undoes nothing.
func TestWhatAnInterruptIsAnsweredWith(t *testing.T) {
	a := &app{}
	for _, args := range [][]string{{"check", "x"}, {"report", "x"}, {"explain", "x"}, {"compare", "x", "y"}, {"example"}, {"down", "x"}, {"images", "build"}, {"runbook", "lint", "x"}, {"runbook", "campaign", "--status", "x"}, {"runbook", "run", "--dry-run", "x"}, {"audit", "--from=x"}, {"no-such-command"}} {
		got := farewellOf(a.root(), args)
		assert.Contains(t, got.first, "interrupted", strings.Join(args, " "))
		assert.NotContains(t, got.first, "again to hurry", strings.Join(args, " "))
		assert.Empty(t, got.second, strings.Join(args, " "))
	}
	for _, args := range [][]string{{"run", "instance-kill"}, {"campaign", "run"}, {"mutants", "run", "x"}, {"up"}, {"audit"}, {"runbook", "campaign", "x"}, {"trust", "soak"}} {
		assert.Equal(t, farewell{
			"interrupted: stopping the load, healing and removing (again to hurry)", "hurrying: what is left is removed by the reaper",
		}, farewellOf(a.root(), args), strings.Join(args, " "))
	}
	assert.Equal(t, farewell{
		"interrupted: ending what is under way; what was done stays done (again to hurry)", "hurrying: what is under way in a node may go on there",
	}, farewellOf(a.root(), []string{"runbook", "run", "x"}))
}
