package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whoever interrupts a command that reads what is recorded is not told of a
// load that is stopped.
func TestWhatReadsRecordsPartsWithoutHealing(t *testing.T) {
	a := &app{}
	for _, args := range [][]string{{"check", "x"}, {"report", "x"}, {"explain", "x"}, {"compare", "x", "y"}, {"example"}, {"down", "x"}, {"images", "build"}, {"runbook", "lint", "x"}, {"runbook", "campaign", "--status", "x"}, {"audit", "--from=x"}, {"no-such-command"}} {
		assert.Contains(t, partingOf(a.root(), args), "interrupted", strings.Join(args, " "))
	}
	for _, args := range [][]string{{"run", "instance-kill"}, {"campaign", "run"}, {"mutants", "run", "x"}, {"up"}, {"audit"}, {"runbook", "campaign", "x"}, {"trust", "soak"}} {
		assert.Empty(t, partingOf(a.root(), args), strings.Join(args, " "))
	}
}
