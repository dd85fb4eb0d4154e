// Package campaign runs the whole catalogue over hours or days: every
// scenario as it stands, several times, and each of its cases. There is one
// result file for each item and each state of what the item depends on, so
// that a campaign can be broken off and taken up again, and what "three times
// in a row" rests on can be read.
package campaign

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// AsItStands is the case of a scenario that nothing is changed of.
const AsItStands = "as it stands"

// InARow is how often a scenario must pass as it stands.
const InARow = 3

// Item is one run of a campaign.
type Item struct {
	Scenario string `json:"scenario"`
	// Case is AsItStands, or the name of one of the scenario's cases.
	Case string `json:"case"`
	// Profile of the topology; empty is its first.
	Profile string `json:"profile,omitempty"`
	// Repetition counts from 1.
	Repetition int `json:"repetition"`

	scenario harness.Scenario
	expect   harness.Case
}

// Name is the item in words: "db-slow, no deduplication", "db-slow 2/3".
func (i Item) Name() string {
	text := i.Scenario
	if i.Case != AsItStands {
		text += ", " + i.Case
	}
	if i.Profile != "" {
		text += ", profile " + i.Profile
	}
	if i.Repetition > 1 || i.Case == AsItStands && i.Profile == "" {
		text += fmt.Sprintf(" (%d)", i.Repetition)
	}
	return text
}

// Items are every scenario as it stands InARow times, and each of its cases
// once. With a profile that is not the first, they are every scenario as it
// stands, once.
func Items(list []harness.Scenario, profile string) []Item {
	var out []Item
	for _, s := range list {
		times := InARow
		if profile != "" {
			times = 1
		}
		for n := range times {
			out = append(out, Item{Scenario: s.Name, Case: AsItStands, Profile: profile, Repetition: n + 1, scenario: s, expect: harness.Case{Name: AsItStands}})
		}
		if profile != "" {
			continue
		}
		for _, c := range s.Cases {
			out = append(out, Item{Scenario: s.Name, Case: c.Name, Repetition: 1, scenario: s, expect: c})
		}
	}
	return out
}

// Options are those of the item's run: whole as the scenario stands, the
// short form of a case, as the tests run it.
func (i Item) Options() harness.Options {
	o := harness.Options{Profile: i.Profile, Set: i.expect.Set, Nodes: i.expect.Nodes, Short: i.Case != AsItStands}
	words := []string{"hachaos", "run", i.Scenario}
	if o.Profile != "" {
		words = append(words, "--profile", o.Profile)
	}
	if o.Nodes != 0 {
		words = append(words, "--nodes", fmt.Sprint(o.Nodes))
	}
	if o.Short {
		words = append(words, "--short")
	}
	for _, key := range sorted(o.Set) {
		words = append(words, "--set", key+"="+o.Set[key])
	}
	o.Command = strings.Join(words, " ")
	return o
}

// Judge says what is not as the item expects of a result; empty if nothing
// is. On another profile than the first anything that is not dirty and has a
// verdict is as expected: what it costs is what is asked.
func (i Item) Judge(r *harness.Result) string {
	if i.Profile != "" && !r.Dirty {
		return ""
	}
	if err := i.expect.Holds(r); err != nil {
		return err.Error()
	}
	return ""
}

// Stands says whether a run that an interrupt met is a result of the item all
// the same. A run that was made whole is one. Of one that was broken off, what
// it left behind is true, and so is a violation that the item does not expect:
// they are never lost. Anything else of it says nothing.
func (i Item) Stands(r *harness.Result) bool {
	if r.BrokenOff == "" || r.Dirty {
		return true
	}
	return i.Profile == "" && r.Verdict == harness.VerdictFail && slices.ContainsFunc(r.Assertions, func(v assert.Verdict) bool {
		return v.Status == assert.Fail && v.Safety && !i.expect.Bears(v.Name)
	})
}

// Depends is what an item's result depends on.
type Depends struct {
	// Images gives the reference of an image name, which holds a digest of
	// what the image is made of.
	Images func(name string) (string, error)
	// Sources is Sources.Fingerprint.
	Sources func(faults, asserts []string) string
}

// Hash is a digest of all that the item's result depends on: the resolved
// scenario (phases, faults with their parameters and aims, assertions with
// theirs, load, companions, switches), what must be said of it, the resolved
// topology (each node's environment, files, command and limits; bounds), the
// references of its images, and the sources of what runs and judges it, with
// the modules and the Go version that they are built with: see Sources. It does
// not depend on comments, on tests, on other scenarios, on faults and
// assertions that the scenario does not use, on reports and commands, on the
// seed, or on the machine.
func (i Item) Hash(r *harness.Runner, d Depends) (string, error) {
	resolved, err := r.Resolved(i.scenario, i.Options())
	if err != nil {
		return "", fmt.Errorf("%s: %w", i.Name(), err)
	}
	images := map[string]string{}
	for _, n := range resolved.Spec.Nodes {
		if images[n.Image], err = d.Images(n.Image); err != nil {
			return "", fmt.Errorf("%s: image %s: %w", i.Name(), n.Image, err)
		}
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, part := range []any{resolved, i.expect, images, d.Sources(resolved.Faults, resolved.Asserts)} {
		if err := enc.Encode(part); err != nil {
			return "", fmt.Errorf("%s: %w", i.Name(), err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}
