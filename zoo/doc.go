// Package zoo keeps systems with one planted defect each, and says of each
// which assertion of which scenario must fire on it, with which words, and
// that all others of it stay quiet: how hachaos shows that it can say anything
// but "pass". A mutant is a file: an overlay on a topology, as switches,
// environment, edits of configuration, or scripts that are run in its nodes.
//
// A mutant becomes a scenario and a topology of its own (Mutant.Scenario,
// Mutant.Topology, Mutant.Driver), so that it is run, judged, reported and
// repeated as any other.
package zoo
