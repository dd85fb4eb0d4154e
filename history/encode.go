package history

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// MaxLine is the longest line of a journal, in bytes without its newline. The
// writer refuses a longer one and the reader calls it altered.
const MaxLine = 4 << 20

// plain says whether appendOp can encode the event: an operation's, with
// nothing beside its name and its call.
func plain(e *Event) bool {
	return e.Op != nil && (e.Kind == Invoke || e.Kind.Completes()) &&
		len(e.Nodes) == 0 && e.Fault == 0 && e.Err == "" && len(e.Data) == 0
}

// appendOp appends the line of an operation's event. It means what
// encoding/json's form means, and does not allocate where b has room.
func appendOp(b []byte, seq uint64, e *Event) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, seq, 10)
	b = append(b, `,"at":`...)
	b = strconv.AppendInt(b, int64(e.At), 10)
	b = append(b, `,"kind":"`...)
	b = append(b, e.Kind...)
	b = append(b, '"')
	b = appendText(b, `,"name":`, e.Name)
	b = append(b, `,"op":`...)
	b = appendCall(b, e.Op)
	return append(b, '}', '\n')
}

func appendCall(b []byte, c *Call) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, c.ID, 10)
	b = appendInt(b, `,"session":`, int64(c.Session))
	b = appendText(b, `,"user":`, c.User)
	b = appendText(b, `,"key":`, c.Key)
	b = append(b, `,"intended":`...)
	b = strconv.AppendInt(b, int64(c.Intended), 10)
	b = appendInt(b, `,"sent":`, int64(c.Sent))
	b = appendInt(b, `,"late":`, int64(c.Late))
	b = appendInt(b, `,"end":`, int64(c.End))
	b = appendInt(b, `,"status":`, int64(c.Status))
	b = appendText(b, `,"error":`, c.Error)
	b = appendText(b, `,"node":`, c.Node)
	b = appendText(b, `,"version":`, c.Version)
	b = appendText(b, `,"balancer":`, c.Balancer)
	b = appendTrue(b, `,"cold":true`, c.Cold)
	b = appendInt(b, `,"attempts":`, int64(c.Attempts))
	b = appendTries(b, c.Tries)
	b = appendInt(b, `,"value":`, c.Value)
	b = appendText(b, `,"sid":`, c.SessionID)
	b = appendText(b, `,"owner":`, c.Owner)
	b = appendTrue(b, `,"new":true`, c.New)
	b = appendTrue(b, `,"replayed":true`, c.Replayed)
	b = appendText(b, `,"bound":`, c.Bound)
	return append(b, '}')
}

func appendTries(b []byte, tries []Try) []byte {
	if len(tries) == 0 {
		return b
	}
	b = append(b, `,"tries":[`...)
	for i := range tries {
		if i > 0 {
			b = append(b, ',')
		}
		t := &tries[i]
		b = append(b, `{"end":`...)
		b = strconv.AppendInt(b, int64(t.End), 10)
		b = append(b, `,"outcome":`...)
		b = appendQuoted(b, string(t.Outcome))
		b = appendInt(b, `,"status":`, int64(t.Status))
		b = appendText(b, `,"error":`, t.Error)
		b = appendText(b, `,"node":`, t.Node)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendInt(b []byte, key string, v int64) []byte {
	if v == 0 {
		return b
	}
	b = append(b, key...)
	return strconv.AppendInt(b, v, 10)
}

func appendTrue(b []byte, field string, v bool) []byte {
	if !v {
		return b
	}
	return append(b, field...)
}

func appendText(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	b = append(b, key...)
	return appendQuoted(b, s)
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s as a JSON string (RFC 8259 §7). What is not UTF-8
// becomes U+FFFD, as encoding/json has it.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = append(b, s[from:i]...)
			b = appendEscape(b, c)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			b = append(b, s[from:i]...)
			b = append(b, "\ufffd"...)
			from = i + 1
		}
		i += size
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// tail encodes any event from behind its number: all of the line but
// `{"seq":N`, so that it can be had before the number is known.
func tail(e Event) ([]byte, error) {
	e.Seq = 0
	b, err := json.Marshal(&e)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(b) { // encoding/json lets a RawMessage's strings through as they are
		b = bytes.ToValidUTF8(b, []byte("\ufffd"))
	}
	return append(b[len(`{"seq":0`):], '\n'), nil
}

// appendTail puts a number before what tail gave.
func appendTail(b []byte, seq uint64, tail []byte) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, seq, 10)
	return append(b, tail...)
}
