package history

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Seal ends the journal: it writes an End, then the seal over all bytes
// before it and over the named files, which are paths relative to dir, with
// slashes. Nothing is taken afterwards. A journal with an error, or a file
// that cannot be read, is not sealed.
//
// The seal has no key. It shows that a record was torn, edited or exchanged
// by accident or naively; who edits a journal and computes the seal again is
// not found out by it.
func (w *Writer) Seal(dir string, files []string) error {
	named, err := hashFiles(dir, files)
	if err != nil {
		return fmt.Errorf("seal journal %s: %w", w.name, err)
	}
	if err := w.finish(End, EndMeta{Files: named}); err != nil {
		return err
	}
	return w.finish(Sealed, Seal{Length: w.length, SHA256: digest(w.sum), Files: named})
}

// finish writes one of the two last events, bypassing Put, and waits until
// it is on the disk. From the first one on nothing else is taken.
func (w *Writer) finish(kind Kind, v any) error {
	w.mu.Lock()
	if w.ending || kind == End && w.closed {
		w.fault(fmt.Errorf("seal: %w", ErrClosed))
	}
	if w.err != nil {
		defer w.mu.Unlock()
		return w.err
	}
	rest, err := lastTail(kind, w.last, v)
	if err != nil {
		defer w.mu.Unlock()
		return fmt.Errorf("seal journal %s: %w", w.name, err)
	}
	w.closed = true
	w.room.Broadcast()
	w.seq++
	w.buf = appendTail(w.buf, w.seq, rest)
	flushed := w.request()
	w.mu.Unlock()
	return <-flushed
}

// lastTail encodes one of the two last events from behind its number.
func lastTail(kind Kind, at time.Duration, v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return tail(Event{At: at, Kind: kind, Data: data})
}

// checkSeal holds a seal's line to the form in which it is written, and to
// the end before it: nothing but the seal itself vouches for its bytes.
func checkSeal(line []byte, e *Event, seal *Seal, end endOf) error {
	rest, err := lastTail(Sealed, end.at, seal)
	if err != nil {
		return err
	}
	want := appendTail(nil, e.Seq, rest)
	if !bytes.Equal(line, want[:len(want)-1]) {
		return contradiction("the seal was edited: it is not as it is written")
	}
	if !slices.Equal(seal.Files, end.files) {
		return contradiction("the seal was edited: its files are not the end's")
	}
	return nil
}

func digest(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// hashFiles measures the files of a run's folder, in the order of their
// names.
func hashFiles(dir string, files []string) ([]SealedFile, error) {
	if len(files) == 0 {
		return nil, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files = slices.Compact(slices.Sorted(slices.Values(files)))
	named := make([]SealedFile, 0, len(files))
	for _, name := range files {
		n, sum, err := hashFile(root, name)
		if err != nil {
			return nil, fmt.Errorf("file %s: %w", name, err)
		}
		named = append(named, SealedFile{Path: name, Length: n, SHA256: sum})
	}
	return named, nil
}

var errNotRegular = errors.New("not a regular file")

// hashFile measures one file, which root keeps within the folder.
func hashFile(root *os.Root, name string) (int64, string, error) {
	path := filepath.FromSlash(name)
	info, err := root.Stat(path)
	if err != nil {
		return 0, "", err
	}
	if !info.Mode().IsRegular() {
		return 0, "", errNotRegular
	}
	f, err := root.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return n, digest(sum), err
}

// verifyFiles says in words what is wrong with the first sealed file that is
// not as it was; empty if all are.
func verifyFiles(dir string, files []SealedFile) (string, error) {
	if len(files) == 0 {
		return "", nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	for _, f := range files {
		n, sum, err := hashFile(root, f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Sprintf("file %s is sealed and missing", f.Path), nil
		case err != nil:
			return fmt.Sprintf("file %s is sealed and cannot be read: %v", f.Path, err), nil
		case n != f.Length:
			return fmt.Sprintf("file %s has %d bytes, and %d when it was sealed", f.Path, n, f.Length), nil
		case sum != f.SHA256:
			return fmt.Sprintf("file %s was changed after it was sealed", f.Path), nil
		}
	}
	return "", nil
}

// tailSum is what the end of a journal says of the bytes before it.
type tailSum struct {
	length int64 // of the bytes before the last line
	sum    string
	err    error
}

// sumAhead measures the bytes of f before its last line, so that they can be
// hashed while another reader decodes them. A file with no last line has
// length 0.
func sumAhead(ctx context.Context, f io.ReaderAt, size int64) tailSum {
	from, err := lastLine(f, size)
	if err != nil {
		return tailSum{err: err}
	}
	sum := sha256.New()
	_, err = io.Copy(sum, cancelled{ctx, io.NewSectionReader(f, 0, from)})
	return tailSum{length: from, sum: digest(sum), err: err}
}

// lastLine finds where the last line of f begins, looking back no further
// than a line can be long.
func lastLine(f io.ReaderAt, size int64) (int64, error) {
	const step = 64 << 10
	block := make([]byte, step)
	for end := size - 1; end > 0 && size-end <= MaxLine+step; end -= step {
		from := max(0, end-step)
		b := block[:end-from]
		if _, err := f.ReadAt(b, from); err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
	}
	return 0, nil
}

// cancelled is a reader that ends with its context.
type cancelled struct {
	ctx context.Context
	r   io.Reader
}

func (c cancelled) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}
