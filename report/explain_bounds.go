package report

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/history"
)

// bounds tell where an assertion's limits come from; whole tells the settings
// in their formulas, too, each once.
func (e *explainer) bounds(v *assert.Verdict, whole bool) {
	named := boundsOf(e.h, v)
	told := map[string]bool{}
	for _, b := range named {
		limit := short(b.Limit)
		if b.Limit == 0 {
			limit = fmt.Sprint(b.Count)
		}
		e.say(1, "The bound %s is %s = %s; set in %s", b.Name, limit, b.Formula, b.File)
		if !whole {
			continue
		}
		e.say(2, "from %s", b.Source)
		for _, value := range valuesOf(e.h, b) {
			if !told[value.Name] {
				e.say(2, "%s is %s in %s: %s", value.Name, value.Value, value.File, value.Reason)
			}
			told[value.Name] = true
		}
	}
	params := paramsOf(e.h, v.Name)
	if params != "" {
		e.say(1, "The scenario sets of it: %s.", params)
	}
	if v.Bound == nil || v.Unit == "ms" && len(named) > 0 || containsWords(params, number(*v.Bound)) {
		return
	}
	e.say(1, "The limit %s is the assertion's own.", bound(v))
}

// boundsOf are the bounds of the configuration that a verdict rests on: those
// that the scenario names, or that the failover was held to, and others whose
// formula or limit the verdict has.
func boundsOf(h *history.History, v *assert.Verdict) []history.Bound {
	params := paramsOf(h, v.Name)
	steps := map[string]bool{}
	if v.Name == (assert.FailoverAnatomy{}).Name() {
		for _, s := range assert.Anatomise(h) {
			for _, name := range strings.Split(s.BoundName, " + ") {
				steps[name] = steps[name] || s.Judged
			}
		}
	}
	var out []history.Bound
	for _, b := range h.Meta.Bounds {
		if steps[b.Name] || strings.Contains(params, fmt.Sprintf("%q", b.Name)) {
			out = append(out, b)
		}
	}
	for _, b := range h.Meta.Bounds {
		says := func(text string) bool { return b.Formula != "" && strings.Contains(text, b.Formula) }
		told := slices.ContainsFunc(out, func(o history.Bound) bool { return o.Formula == b.Formula })
		if !told && (says(v.Fix) || onlyLimit(h, v, b) || slices.ContainsFunc(v.Measures, func(m assert.Measure) bool { return says(m.Note) })) {
			out = append(out, b)
		}
	}
	return out
}

// onlyLimit says that the verdict's bound is this one's limit, and no other's.
func onlyLimit(h *history.History, v *assert.Verdict, b history.Bound) bool {
	if v.Bound == nil || v.Unit != "ms" || b.Limit == 0 {
		return false
	}
	is := func(b history.Bound) bool {
		return math.Abs(float64(b.Limit)/float64(time.Millisecond)-*v.Bound) < 1e-6
	}
	same := 0
	for _, other := range h.Meta.Bounds {
		if is(other) {
			same++
		}
	}
	return is(b) && same == 1
}

// valuesOf are the settings that a bound's formula names with their values:
// "fall 3" is the setting "haproxy: fall".
func valuesOf(h *history.History, b history.Bound) []history.Value {
	var out []history.Value
	for _, v := range h.Meta.Values {
		key := v.Name
		if _, after, ok := strings.Cut(v.Name, ": "); ok {
			key = after
		}
		if containsWords(b.Formula, key+" "+v.Value) {
			out = append(out, v)
		}
	}
	return out
}

// containsWords says that the text has these words, not as a part of longer
// ones.
func containsWords(text, words string) bool {
	edge := func(r byte) bool { return r == ' ' || r == '(' || r == ')' || r == ',' || r == '+' }
	for from := 0; ; {
		i := strings.Index(text[from:], words)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(words)
		if (i == 0 || edge(text[i-1])) && (end == len(text) || edge(text[end])) {
			return true
		}
		from = i + 1
	}
}

// paramsOf are what the scenario set of an assertion, as "name value, …".
func paramsOf(h *history.History, name string) string {
	for _, m := range h.Meta.Asserts {
		if m.Name != name || len(m.Params) == 0 {
			continue
		}
		var params map[string]json.RawMessage
		if json.Unmarshal(m.Params, &params) != nil {
			return ""
		}
		var out []string
		for k, v := range params {
			out = append(out, fmt.Sprintf("%s %s", k, v))
		}
		slices.Sort(out)
		return strings.Join(out, ", ")
	}
	return ""
}
