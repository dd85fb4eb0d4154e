package harness

import "github.com/hachaos/hachaos/history"

// Names within a run's folder.
const (
	// ScenarioFile is the resolved scenario with its seed, written first.
	ScenarioFile = "scenario.json"
	// UndoFile is the undo log; see package fault.
	UndoFile = "undo.jsonl"
	// JournalFile is the record that verdicts are made from.
	JournalFile = history.Journal
	// ResultFile is what the run came to, written last.
	ResultFile = "result.json"
	// LogsDir holds the components' logs.
	LogsDir = "logs"
	// ConfigDir holds the components' configurations, as resolved.
	ConfigDir = "config"
)
