package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/hachaos/hachaos/assert"
	"github.com/hachaos/hachaos/harness"
)

// The steps of docs/ci are run as they stand, by the shells that run them in
// CI, with a hachaos whose runs are records: all of the command line is real
// but the engine.

const ciFolder = "../../docs/ci"

// recordsVar lists the folders of the records that the runs of onRecord are, in
// their order; the last one stays.
const recordsVar = "HACHAOS_TEST_RECORDS"

// onRecord is the program, with records for runs.
func onRecord() {
	a := &app{out: os.Stdout, err: os.Stderr, make: replay}
	os.Exit(a.execute(os.Args[1:]))
}

// replay copies the next record into dir and judges it. Which one it is, the
// folders in dir count.
func replay(_ context.Context, _ harness.Scenario, _ harness.Options, dir string) (*harness.Result, error) {
	records := filepath.SplitList(os.Getenv(recordsVar))
	made, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	record := records[min(len(made), len(records)-1)]
	if record == "none" {
		return nil, errors.New("no container engine answers")
	}
	to := filepath.Join(dir, fmt.Sprintf("run-%d", len(made)+1))
	if err := os.CopyFS(to, os.DirFS(record)); err != nil {
		return nil, err
	}
	r, _, err := harness.Judge(to)
	if r != nil {
		r.Dir = to
	}
	return r, err
}

// keys holds a mapping to the keys that its documentation names.
func keys(t *testing.T, what string, m map[string]any, required []string, optional ...string) {
	t.Helper()
	for _, k := range required {
		require.Contains(t, m, k, what)
	}
	for k := range m {
		require.Contains(t, append(slices.Clone(required), optional...), k, what)
	}
}

func readYAML(t *testing.T, name string) (text string, m map[string]any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(ciFolder, name))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &m))
	return string(b), m
}

// step is a command of a job with the shell that runs it.
type step struct {
	name, text string
	shell      []string
	// always says that it is run although one before it failed.
	always bool
}

// githubSteps are the steps of the workflow that run something. Keys are those
// of GitHub's "Workflow syntax", and those of the three actions' action.yml.
func githubSteps(t *testing.T) (steps []step, env map[string]string) {
	t.Helper()
	_, m := readYAML(t, "github.yml")
	keys(t, "workflow", m, []string{"name", "on", "permissions", "jobs"})
	keys(t, "on", m["on"].(map[string]any), []string{"pull_request", "workflow_dispatch"})
	require.Equal(t, map[string]any{"contents": "read"}, m["permissions"])
	job := m["jobs"].(map[string]any)["hachaos"].(map[string]any)
	keys(t, "job", job, []string{"runs-on", "timeout-minutes", "env", "steps"})
	inputs := map[string][]string{
		"actions/checkout":        {"repository", "ref", "path"},
		"actions/setup-go":        {"go-version-file", "cache-dependency-path"},
		"actions/upload-artifact": {"name", "path", "if-no-files-found"},
	}
	for _, x := range job["steps"].([]any) {
		s := x.(map[string]any)
		if uses, is := s["uses"].(string); is {
			keys(t, uses, s, []string{"uses", "with"}, "if", "name")
			action, version, _ := strings.Cut(uses, "@")
			require.Contains(t, inputs, action)
			require.Regexp(t, `^v\d+$`, version)
			keys(t, uses, s["with"].(map[string]any), inputs[action])
			delete(inputs, action)
			continue
		}
		keys(t, "step", s, []string{"name", "run"}, "if", "working-directory")
		if s["if"] != nil {
			require.Equal(t, "always()", s["if"])
		}
		// The default: "bash -e {0}", see "Exit codes and error action preference".
		steps = append(steps, step{s["name"].(string), s["run"].(string), []string{"bash", "-e"}, s["if"] != nil})
	}
	require.Empty(t, inputs, "actions that are not used")
	return steps, stringsOf(job["env"])
}

// gitlabSteps are the commands of the job. Keys are those of GitLab's "CI/CD
// YAML syntax reference".
func gitlabSteps(t *testing.T) (steps []step, env map[string]string, reports map[string]any) {
	t.Helper()
	_, m := readYAML(t, "gitlab-ci.yml")
	keys(t, "file", m, []string{"hachaos"})
	job := m["hachaos"].(map[string]any)
	keys(t, "job", job, []string{"stage", "tags", "timeout", "variables", "before_script", "script", "artifacts"})
	artifacts := job["artifacts"].(map[string]any)
	keys(t, "artifacts", artifacts, []string{"when", "expire_in", "expose_as", "paths", "reports"})
	require.Equal(t, "always", artifacts["when"], "a run that failed is shown, too")
	for _, p := range artifacts["paths"].([]any) {
		require.NotContains(t, p, "*", "expose_as takes no wildcard")
	}
	keys(t, "reports", artifacts["reports"].(map[string]any), []string{"junit", "metrics"})
	for _, part := range []string{"before_script", "script"} {
		for _, line := range job[part].([]any) {
			// The shell executor's bash: "set -eo pipefail".
			steps = append(steps, step{part, line.(string), []string{"bash", "-eo", "pipefail"}, false})
		}
	}
	return steps, stringsOf(job["variables"]), artifacts["reports"].(map[string]any)
}

func stringsOf(v any) map[string]string {
	out := map[string]string{}
	for k, x := range v.(map[string]any) {
		out[k] = fmt.Sprint(x)
	}
	return out
}

// prepared are the steps that make the program, which the test has already.
func prepared(s step) bool {
	return slices.ContainsFunc([]string{"make build", "git clone", "make -C hachaos build", "export PATH="}, func(p string) bool { return strings.Contains(s.text, p) })
}

// asksEngine are those that look at the engine before anything is run.
func asksEngine(s step) bool {
	return slices.Contains([]string{"hachaos doctor", "hachaos images build"}, s.text)
}

// ran is what came of a job.
type ran struct {
	dir, out string
	code     string // of the job
}

// runSteps runs a job's own steps in an empty folder.
func runSteps(t *testing.T, steps []step, env map[string]string, records ...string) ran {
	t.Helper()
	r := ran{dir: t.TempDir(), code: "0"}
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "hachaos"), []byte("#!/bin/sh\nexec hachaos-on-record \"$@\"\n"), 0o755))
	vars := append(os.Environ(),
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), recordsVar+"="+strings.Join(records, string(filepath.ListSeparator)),
		"GITHUB_STEP_SUMMARY="+filepath.Join(r.dir, "summary"), "DOCKER_HOST=unix:///nonexistent/docker.sock")
	for _, k := range slices.Sorted(maps.Keys(env)) {
		vars = append(vars, k+"="+env[k])
	}
	var out bytes.Buffer
	for _, s := range steps {
		if prepared(s) || asksEngine(s) || r.code != "0" && !s.always {
			continue
		}
		script := filepath.Join(t.TempDir(), "step.sh")
		require.NoError(t, os.WriteFile(script, []byte(s.text), 0o644))
		c := exec.CommandContext(t.Context(), s.shell[0], append(slices.Clone(s.shell[1:]), script)...)
		c.Dir, c.Env, c.Stdout, c.Stderr = r.dir, vars, &out, &out
		if err := c.Run(); err != nil && r.code == "0" {
			r.code = exitStatus(err)
		}
	}
	r.out = out.String()
	return r
}

func (r ran) file(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, name))
	require.NoError(t, err, r.out)
	return string(b)
}

func (r ran) runs(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(r.dir, "runs"))
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	return len(list)
}

// ciRecords are the folders of a pass, of a fail and of a torn record, which is
// inconclusive.
func ciRecords(t *testing.T) (pass, fail, torn string) {
	t.Helper()
	pass = record(t)
	fail = recorded(t, harness.VerdictFail, assert.WriteLedger{}, assert.ErrorBudget{Overall: 100}, assert.Leftovers{})
	torn = filepath.Join(t.TempDir(), "torn")
	require.NoError(t, os.CopyFS(torn, os.DirFS(pass)))
	journal := filepath.Join(torn, harness.JournalFile)
	b, err := os.ReadFile(journal)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(journal, b[:len(b)/2], 0o644))
	return pass, fail, torn
}

func TestGitHubWorkflow(t *testing.T) {
	steps, env := githubSteps(t)
	pass, fail, torn := ciRecords(t)

	r := runSteps(t, steps, env, pass)
	require.Equal(t, "0", r.code, r.out)
	require.Contains(t, r.file(t, "summary"), "## PASS: memory-kill")
	require.Contains(t, r.file(t, "hachaos.xml"), `failures="0" errors="0"`)
	require.Contains(t, r.file(t, "hachaos.prom"), "hachaos_run_verdict{")
	require.Contains(t, r.out, "\n::notice title=hachaos memory-kill%3A PASS::")
	require.Equal(t, 1, r.runs(t))

	r = runSteps(t, steps, env, fail)
	require.Equal(t, "1", r.code, r.out)
	require.True(t, strings.HasPrefix(r.file(t, "summary"), "## FAIL: memory-kill\n"), "the summary is there although the step failed")
	require.Contains(t, r.file(t, "summary"), "**error-budget** measured")
	require.Contains(t, r.file(t, "summary"), "--seed 7")
	require.Contains(t, r.file(t, "hachaos.xml"), "<failure message=")
	require.Contains(t, r.out, "\n::error title=hachaos memory-kill%3A error-budget::")
	require.Equal(t, 1, r.runs(t), "a fail is not repeated")

	r = runSteps(t, steps, env, torn, pass)
	require.Equal(t, "0", r.code, r.out)
	require.Equal(t, 2, r.runs(t), "an inconclusive run is repeated")
	require.Contains(t, r.file(t, "summary"), "## PASS")
	require.NotContains(t, r.file(t, "summary"), "INCONCLUSIVE")

	r = runSteps(t, steps, env, torn)
	require.Equal(t, "3", r.code, r.out)
	require.Equal(t, 2, r.runs(t), "once")
	require.Contains(t, r.file(t, "summary"), "## INCONCLUSIVE: memory-kill")
	require.Contains(t, r.file(t, "hachaos.xml"), "<error message=\"inconclusive")

	r = runSteps(t, steps, env, "none")
	require.Equal(t, "4", r.code, r.out)
	require.Contains(t, r.file(t, "summary"), "## ERROR: instance-kill")
	require.Contains(t, r.out, "no container engine answers")
}

func TestGitLabJob(t *testing.T) {
	steps, env, reports := gitlabSteps(t)
	pass, fail, torn := ciRecords(t)
	for _, c := range []struct {
		records   []string
		code      string
		runs      int
		word, xml string
	}{
		{[]string{pass}, "0", 1, "PASS", `failures="0" errors="0"`},
		{[]string{fail}, "1", 1, "FAIL", "<failure message="},
		{[]string{torn, fail}, "1", 2, "FAIL", "<failure message="},
		{[]string{torn}, "3", 2, "INCONCLUSIVE", "<error message="},
		{[]string{"none"}, "4", 0, "ERROR", "<error message="},
	} {
		r := runSteps(t, steps, env, c.records...)
		require.Equal(t, c.code, r.code, r.out)
		require.Equal(t, c.runs, r.runs(t))
		require.Contains(t, r.file(t, "hachaos.md"), "## "+c.word+": ")
		require.Contains(t, r.file(t, reports["junit"].(string)), c.xml)
		require.True(t, strings.HasSuffix(r.file(t, reports["metrics"].(string)), "# EOF\n"))
	}
}

// TestStepsOfCIThatWantAnEngine run as they stand, and say what to do where
// there is none.
func TestStepsOfCIThatWantAnEngine(t *testing.T) {
	github, _ := githubSteps(t)
	gitlab, _, _ := gitlabSteps(t)
	for _, steps := range [][]step{github, gitlab} {
		of := slices.DeleteFunc(slices.Clone(steps), func(s step) bool { return !asksEngine(s) })
		require.Len(t, of, 2)
		for _, s := range of {
			c := exec.CommandContext(t.Context(), s.shell[0], append(slices.Clone(s.shell[1:]), "-c", s.text)...)
			c.Env = append(os.Environ(), "DOCKER_HOST=unix:///nonexistent/docker.sock")
			out, err := c.CombinedOutput()
			require.Equal(t, "4", exitStatus(err), "%s", out)
			require.Contains(t, string(out), "engine", s.text)
		}
	}
}

// TestCIFilesNameWhatThereIs: their paths, the Makefile's target, the formats.
func TestCIFilesNameWhatThereIs(t *testing.T) {
	make, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	require.Contains(t, string(make), "\nbuild: ##")
	require.Contains(t, string(make), "BIN     := bin/hachaos")
	require.FileExists(t, "../../go.sum")
	page, err := os.ReadFile(filepath.Join(ciFolder, "README.md"))
	require.NoError(t, err)
	for _, f := range formatNames() {
		require.Contains(t, string(page), "| `"+f+"` |", "a row for each format")
	}
	for _, name := range []string{"github.yml", "gitlab-ci.yml"} {
		text, _ := readYAML(t, name)
		require.Contains(t, text, "# change")
		require.NotRegexp(t, `docker\.io|ghcr\.io|quay\.io|registry\.`, text)
	}
}
