package runbook

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// splitFront parts the front matter, between lines of three dashes, from the
// body, whose first line in the document it gives. Without front matter all is
// body.
func splitFront(text []byte) (front, body []byte, first int) {
	rest, ok := bytes.CutPrefix(text, []byte("---\n"))
	if !ok {
		return nil, text, 1
	}
	line, at := 1, 0
	for s := range bytes.Lines(rest) {
		line++
		at += len(s)
		if string(bytes.TrimRight(s, " \t\n")) == "---" {
			return rest[:at-len(s)], rest[at:], line + 1
		}
	}
	return nil, text, 1
}

// example is what the front matter looks like.
const example = "a document begins with a line ---, then title: …, owner: …, and so on, then ---"

// front reads the front matter, which begins in line 2.
func (p *parser) front(text []byte) {
	f := &p.book.Front
	f.lines = map[string]int{}
	if text == nil {
		p.fail(1, "no front matter: %s", example)
		return
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		line, what := badYAML(err)
		p.fail(line, "front matter: %s", what)
		return
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		p.fail(1, "front matter: want keys and values: %s", example)
		return
	}
	top := doc.Content[0]
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		line := key.Line + 1
		if _, twice := f.lines[key.Value]; twice {
			p.fail(line, "front matter: %s is there twice", key.Value)
			continue
		}
		f.lines[key.Value] = line
		if err := f.take(key.Value, value); err != nil {
			p.fail(line, "front matter: %s: %v", key.Value, err)
		}
	}
}

// yamlLine is where a message of the YAML library begins.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// badYAML is the line of a document whose front matter begins in line 2, and
// what is wrong there.
func badYAML(err error) (line int, text string) {
	text = err.Error()
	m := yamlLine.FindStringSubmatch(text)
	if m == nil {
		return 1, strings.TrimPrefix(text, "yaml: ")
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 1, text
	}
	return n + 1, text[len(m[0]):]
}

// take takes a key's value.
func (f *Front) take(key string, v *yaml.Node) (err error) {
	switch key {
	case "title":
		f.Title, err = scalar(v)
	case "owner":
		f.Owner, err = scalar(v)
	case "alert":
		f.Alert, err = scalar(v)
	case "kind":
		f.Checks, err = isChecks(v)
	case "incident":
		f.Incident, err = scalar(v)
	case "reviewed":
		f.Reviewed, err = day(v)
	case "within":
		f.Within, err = limit(v)
	case "restores":
		f.Restores, err = list(v)
	case "set":
		f.Set = map[string]string{}
		err = pairs(v, func(key, value string, _ int) { f.Set[key] = value })
	case "inputs":
		err = pairs(v, func(key, value string, line int) { f.Inputs = append(f.Inputs, Input{key, value, line}) })
	default:
		err = errors.New("there is no such key: there are title, owner, reviewed, kind, alert, incident, set, restores, within and inputs")
	}
	return err
}

func scalar(v *yaml.Node) (string, error) {
	if v.Kind != yaml.ScalarNode {
		return "", errors.New("want a text")
	}
	return strings.TrimSpace(v.Value), nil
}

func isChecks(v *yaml.Node) (bool, error) {
	text, err := scalar(v)
	if err == nil && text != "checks" {
		err = errors.New("want checks, for a document of checks; a runbook has no such line")
	}
	return err == nil, err
}

func day(v *yaml.Node) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, v.Value)
	if v.Kind != yaml.ScalarNode || err != nil {
		return time.Time{}, errors.New("want a day, such as 2026-11-21")
	}
	return t, nil
}

func limit(v *yaml.Node) (time.Duration, error) {
	text, err := scalar(v)
	if err != nil {
		return 0, err
	}
	return parseLimit(text)
}

func list(v *yaml.Node) ([]Name, error) {
	if v.Kind != yaml.SequenceNode {
		return nil, errors.New("want a list, such as [nodes-routed, service-answers]")
	}
	var out []Name
	for _, one := range v.Content {
		text, err := scalar(one)
		if err != nil || text == "" {
			return nil, errors.New("want a list of names")
		}
		out = append(out, Name{text, one.Line + 1})
	}
	return out, nil
}

// pairs gives the keys and values of a mapping, each with its line.
func pairs(v *yaml.Node, each func(key, value string, line int)) error {
	if v.Kind != yaml.MappingNode {
		return errors.New("want keys with values, such as {kill: process}")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		key, err := scalar(v.Content[i])
		if err != nil {
			return err
		}
		value, err := scalar(v.Content[i+1])
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if seen[key] {
			return fmt.Errorf("%s is there twice", key)
		}
		seen[key] = true
		each(key, value, v.Content[i].Line+1)
	}
	return nil
}
