package assert

import (
	"fmt"

	"github.com/hachaos/hachaos/history"
)

// UploadDurability expects each file that was acknowledged to be there, byte
// for byte, whichever node is asked: at once by another connection, and in the
// end through the balancer and at every node.
//
//	lost     acknowledged, and a node that answered does not have it   violation
//	torn     there, but not what was uploaded                          violation
//
// A file whose fate is unknown may be there, whole, or not. A look that got no
// answer says nothing. The violations rest on the client's own record, so
// they stand although a need is missing. The zero value is ready to use.
type UploadDurability struct{}

// Name implements Checker.
func (UploadDurability) Name() string { return "upload-durability" }

// About implements Checker.
func (UploadDurability) About() string {
	return "each acknowledged file is there, byte for byte, at every node (0 lost or torn files)"
}

// Needs implements Checker.
func (UploadDurability) Needs() []Need {
	return []Need{{Kind: NeedFault}, {Kind: NeedHeal}, {Kind: NeedStream, Stream: history.StreamUpload}, {Kind: NeedStream, Stream: history.StreamDownload}}
}

// Check implements Checker. Measured is the number of files that violate; it
// is not exercised if no victim had taken a file, or no other node was asked
// for one.
func (UploadDurability) Check(h *history.History) Verdict {
	v := Verdict{Bound: figure(0), Op: "<=", Unit: "files"}
	uploads := make(map[string]*history.At[history.Upload], len(h.Uploads))
	acked, onVictims := 0, 0
	victims := victimNames(h)
	for i := range h.Uploads {
		up := &h.Uploads[i]
		uploads[up.V.Name] = up
		if up.V.Outcome == string(history.OK) {
			acked++
			if victims[up.V.Node] {
				onVictims++
			}
		}
	}
	class := map[string]string{} // by name, the worst
	looks, elsewhere, unknown := 0, 0, 0
	for _, d := range h.Downloads {
		up := uploads[d.V.Name]
		if !d.V.Known {
			unknown++
			continue
		}
		looks++
		if up != nil && d.V.Node != "" && d.V.Node != up.V.Node {
			elsewhere++
		}
		bad := ""
		switch {
		case d.V.Found && !d.V.Same:
			bad = "torn"
		case !d.V.Found && up != nil && up.V.Outcome == string(history.OK):
			bad = "lost"
		}
		if bad == "" || class[d.V.Name] != "" {
			continue
		}
		class[d.V.Name] = bad
		v.Evidence = append(v.Evidence, Evidence{Seq: d.Seq, At: d.Time, Node: d.V.Node, Class: bad, Text: uploadText(bad, up, d)})
	}
	lost, torn := 0, 0
	for _, c := range class {
		if c == "lost" {
			lost++
		} else {
			torn++
		}
	}
	v.Measured = figure(float64(len(class)))
	v.Measures = []Measure{
		{Name: "acknowledged", Value: float64(acked), Unit: "files"},
		{Name: "lost", Value: float64(lost), Unit: "files", Bound: figure(0)},
		{Name: "torn", Value: float64(torn), Unit: "files", Bound: figure(0)},
		{Name: "looks", Value: float64(looks), Unit: "answers"},
		{Name: "looks at another node", Value: float64(elsewhere), Unit: "answers", Note: "than the one that took the file"},
		{Name: "looks without an answer", Value: float64(unknown), Unit: "requests"},
		{Name: "taken by a victim", Value: float64(onVictims), Unit: "files"},
	}
	switch {
	case len(class) > 0:
		v.Status, v.Safety = Fail, true
		v.Summary = fmt.Sprintf("Of %s acknowledged, %d were lost and %d torn.", count(acked, "file"), lost, torn)
		v.Fix = valueFix(h, "keep uploaded files where every node finds them, not on the disk of the node that took them", ValueUploads)
	case acked == 0:
		v.Measured, v.NotExercised = nil, true
		v.Summary = "No file was acknowledged."
		inconclusive(&v, "no file was acknowledged")
	default:
		v.Status = Pass
		v.NotExercised = onVictims == 0 || elsewhere == 0
		v.Summary = fmt.Sprintf("All %d acknowledged files were there whenever a node answered: %d looks, %d of them at another node than the one that took the file; victims had taken %d.",
			acked, looks, elsewhere, onVictims)
	}
	return v
}

func uploadText(class string, up *history.At[history.Upload], d history.At[history.Download]) string {
	who := "by a client that was told nothing"
	if up != nil && up.V.Node != "" {
		who = fmt.Sprintf("%s by %s", up.V.Outcome, up.V.Node)
	}
	when := "at once"
	if d.V.Last {
		when = "in the end"
	}
	what := "it is not there"
	if class == "torn" {
		what = "what is there is not what was uploaded"
	}
	return fmt.Sprintf("file %s, %s; asked %s via %s, %s answered: %s", d.V.Name, who, when, d.V.Via, d.V.Node, what)
}

// victimNames are the nodes that a fault was aimed at.
func victimNames(h *history.History) map[string]bool {
	victims := map[string]bool{}
	for _, f := range h.Faults {
		for _, n := range f.Nodes {
			victims[n] = true
		}
	}
	return victims
}
