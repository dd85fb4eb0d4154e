package trust

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// AppendLine adds v as a line of JSON to a file, which is made if it is not
// there, and syncs it.
func AppendLine(path string, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

// ReadLines reads what AppendLine wrote. A last line without its end, which a
// crash left, is an error, since it may be the one that matters; so is a field
// that nobody knows.
func ReadLines[T any](r io.Reader) ([]T, error) {
	var out []T
	lines := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return out, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return out, err
		}
		var v T
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		if bad := dec.Decode(&v); bad != nil || err != nil {
			return out, fmt.Errorf("line %d: %w: mend or remove it by hand", n, errors.Join(bad, err))
		}
		out = append(out, v)
	}
}

// ReadFile is ReadLines of a file; one that is not there has no lines.
func ReadFile[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := ReadLines[T](f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}
