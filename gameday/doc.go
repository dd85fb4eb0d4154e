// Package gameday executes runbooks: against a topology that stands, and, to
// prove one, during the incident that it is for.
//
//	runbook ─▶ variant ─▶ Execution ─▶ Transcript ─▶ verdict
//	                        │    ▲
//	               commands ▼    │ states
//	                      the system
//
// A command runs in the node that the runbook names, or in the operator's
// container, and never on the machine of whoever called hachaos. What is asked
// of a person, an Asker answers.
package gameday
