package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"github.com/hachaos/hachaos/fault"
	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// ScenarioSchema names the version of the resolved scenario's JSON form.
const ScenarioSchema = "hachaos.scenario/1"

// scenarioRecord is the resolved scenario as the folder keeps it.
type scenarioRecord struct {
	Schema   string               `json:"schema"`
	Scenario string               `json:"scenario"`
	About    string               `json:"about,omitempty"`
	ID       string               `json:"id"`
	Seed     uint64               `json:"seed"`
	Version  string               `json:"version"`
	Command  string               `json:"command,omitempty"`
	Topology string               `json:"topology"`
	Profile  string               `json:"profile,omitempty"`
	On       string               `json:"on,omitempty"`
	Set      map[string]string    `json:"set,omitempty"`
	Load     history.LoadMeta     `json:"load"`
	Phases   []phaseRecord        `json:"phases"`
	Asserts  []history.AssertMeta `json:"asserts"`
	// Exercises are as of Scenario.
	Exercises []string `json:"exercises,omitempty"`
	Short     bool     `json:"short,omitempty"`
	// Companions are the clients beside the mix, by kind, with their
	// parameters.
	Companions map[string]any `json:"companions,omitempty"`
}

type phaseRecord struct {
	Name   string            `json:"name"`
	Kind   string            `json:"kind"`
	For    time.Duration     `json:"for"`
	Await  bool              `json:"await,omitempty"`
	Faults []injectionRecord `json:"faults,omitempty"`
	Heal   []string          `json:"heal,omitempty"`
}

type injectionRecord struct {
	Label string          `json:"label"`
	Fault json.RawMessage `json:"fault"`
	Aim   string          `json:"aim"`
}

// record is the resolved scenario as data.
func (r *resolved) record(version string) (scenarioRecord, error) {
	rec := scenarioRecord{
		Schema: ScenarioSchema, Scenario: r.Name, About: r.About, ID: r.id, Seed: r.seed, Version: version, Command: r.command,
		Topology: r.spec.Name, Profile: r.spec.Profile, On: r.opts.On, Set: r.set, Load: r.Load.Meta(), Asserts: r.asserts, Exercises: r.Exercises, Short: r.opts.Short,
	}
	for _, c := range r.Companions {
		if rec.Companions == nil {
			rec.Companions = map[string]any{}
		}
		rec.Companions[c.Kind()] = c
	}
	for _, p := range r.Phases {
		pr := phaseRecord{Name: p.Name, Kind: p.Kind, For: p.For, Await: p.Await, Heal: p.Heal}
		for _, in := range p.Faults {
			b, err := fault.Encode(in.Fault)
			if err != nil {
				return rec, err
			}
			pr.Faults = append(pr.Faults, injectionRecord{in.Label, b, in.Aim.Name})
		}
		rec.Phases = append(rec.Phases, pr)
	}
	return rec, nil
}

// meta is the journal's first event. The cluster is nil if it did not start.
func (r *resolved) meta(version string, started time.Time, c topology.Cluster) history.Meta {
	m := history.Meta{
		Format: history.Format, ID: r.id, Scenario: r.Name, About: r.About, Topology: r.spec.Name, Profile: r.spec.Profile,
		Seed: r.seed, Version: version, StartedAt: started.UTC().Round(0), Set: r.set, Load: r.Load.Meta(),
		Asserts: r.asserts, Exercises: r.Exercises, Command: r.command, Standing: r.opts.On != "", On: r.opts.On, Faultless: r.faultless(),
	}
	for _, b := range r.spec.Bounds {
		m.Bounds = append(m.Bounds, history.Bound(b))
	}
	for _, v := range r.spec.Values {
		m.Values = append(m.Values, history.Value(v))
	}
	if c != nil {
		e := c.Entry()
		m.Entry, m.Via = e.URL, e.Via
	}
	for _, n := range r.spec.Nodes {
		m.Nodes = append(m.Nodes, r.nodeMeta(n, c))
	}
	return m
}

func (r *resolved) nodeMeta(n topology.NodeSpec, c topology.Cluster) history.NodeMeta {
	m := history.NodeMeta{Name: n.Name, Role: string(n.Role), Image: n.Image}
	if n.Addr.IsValid() {
		m.Addr = n.Addr.String()
	}
	if named, ok := c.(ImageNamer); ok {
		if image := named.ImageOf(n.Name); image != "" {
			m.Image = image
		}
	}
	if n.Role == topology.Application {
		m.Weight = r.weight(n.Name)
	}
	return m
}

// weight is the balancer's for a node: the switch "weight.<node>", else the
// default of "weight.*"; 0 if the topology knows none.
func (r *resolved) weight(node string) int {
	for _, w := range r.switches {
		if w.Key != "weight.*" {
			continue
		}
		text := w.Default
		if v, ok := r.opts.Set["weight."+node]; ok {
			text = v
		}
		n, _ := strconv.Atoi(text) // the plan has refused what is no number
		return n
	}
	return 0
}

// ImageNamer is the capability of a cluster that knows which image each node
// runs, with its digest.
type ImageNamer interface {
	ImageOf(node string) string
}

// newDir makes the run's folder below root and writes what is known before
// the start. It returns its path.
func newDir(root string, r *resolved, version string, now time.Time) (string, error) {
	dir := filepath.Join(root, folder(now, r.Name, r.id))
	for _, d := range []string{LogsDir, ConfigDir} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return "", fmt.Errorf("run's folder: %w", err)
		}
	}
	rec, err := r.record(version)
	if err != nil {
		return "", err
	}
	return dir, writeJSON(filepath.Join(dir, ScenarioFile), rec)
}

// saveConfigs keeps each node's files as they were put into its container.
func saveConfigs(dir string, spec topology.Spec) error {
	for _, n := range spec.Nodes {
		for _, f := range n.Files {
			to := filepath.Join(dir, ConfigDir, n.Name, filepath.FromSlash(path.Clean("/"+f.Path)))
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return fmt.Errorf("keep configuration: %w", err)
			}
			if err := os.WriteFile(to, []byte(f.Content), 0o644); err != nil {
				return fmt.Errorf("keep configuration: %w", err)
			}
		}
	}
	return nil
}

// logsWait is how long a log is read that nobody follows.
const logsWait = 2 * time.Second

// saveLogs keeps what the components said before a run that never began to
// be observed broke off.
func (r *run) saveLogs(ctx context.Context) {
	if r.cluster == nil {
		return
	}
	var wg sync.WaitGroup
	for _, n := range r.cluster.Nodes() {
		wg.Go(func() {
			err := r.within(ctx, logsWait, skip, func(ctx context.Context) error { return r.saveLog(ctx, n.Name()) })
			if err != nil && !errors.Is(err, context.DeadlineExceeded) {
				r.step("log of %s: %v", n.Name(), err)
			}
		})
	}
	wg.Wait()
}

func (r *run) saveLog(ctx context.Context, node string) error {
	f, err := os.Create(filepath.Join(r.dir, LogsDir, node+".log"))
	if err != nil {
		return err
	}
	err = r.cluster.Logs(ctx, node, time.Time{}, f)
	return errors.Join(err, f.Close())
}

func writeJSON(path string, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, b, 0o644)
}
