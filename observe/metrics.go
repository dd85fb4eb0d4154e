package observe

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// sample is one line of Prometheus's text format.
type sample struct {
	name string
	// labels is what stands between the braces, as written.
	labels string
	value  float64
	// millis is the sample's timestamp, since 1970; 0 if it has none.
	millis int64
}

// parseMetrics reads the text exposition format, version 0.0.4. Comments are
// skipped. A line that is not understood is an error that names it; the
// samples before and after it are returned all the same.
func parseMetrics(text []byte) ([]sample, error) {
	var (
		samples []sample
		errs    []error
		number  int
	)
	for line := range bytes.Lines(text) {
		number++
		s := strings.TrimSpace(string(line))
		if s == "" || s[0] == '#' {
			continue
		}
		got, err := parseSample(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("metrics line %d: %w", number, err))
			continue
		}
		samples = append(samples, got)
	}
	return samples, errors.Join(errs...)
}

// parseSample reads `name{labels} value [timestamp]`.
func parseSample(line string) (sample, error) {
	end := strings.IndexAny(line, "{ \t")
	if end <= 0 {
		return sample{}, fmt.Errorf("no name and value in %q", line)
	}
	s, rest := sample{name: line[:end]}, line[end:]
	if rest[0] == '{' {
		closing := closingBrace(rest)
		if closing < 0 {
			return sample{}, fmt.Errorf("labels do not end in %q", line)
		}
		s.labels, rest = rest[1:closing], rest[closing+1:]
	}
	fields := strings.Fields(rest)
	if len(fields) != 1 && len(fields) != 2 {
		return sample{}, fmt.Errorf("want a value and perhaps a time in %q", line)
	}
	var err error
	if s.value, err = strconv.ParseFloat(fields[0], 64); err != nil {
		return sample{}, fmt.Errorf("value in %q: %w", line, err)
	}
	if len(fields) == 2 {
		if s.millis, err = strconv.ParseInt(fields[1], 10, 64); err != nil {
			return sample{}, fmt.Errorf("time in %q: %w", line, err)
		}
	}
	return s, nil
}

// closingBrace is the index of the brace that ends the labels, which may
// hold braces and escaped quotes in their values; -1 if there is none.
func closingBrace(s string) int {
	quoted, escaped := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case c == '}' && !quoted:
			return i
		}
	}
	return -1
}

// gauges indexes the samples that have no labels.
func gauges(samples []sample) map[string]sample {
	by := make(map[string]sample, len(samples))
	for _, s := range samples {
		if s.labels == "" {
			by[s.name] = s
		}
	}
	return by
}
