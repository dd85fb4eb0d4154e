package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzDecode wants of each fault that can be read that it is the same once
// written again: a scenario's file and the undo log hold faults as data.
func FuzzDecode(f *testing.F) {
	for _, kind := range Kinds() {
		b, err := Encode(builtin[kind])
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte(`{"kind":"packet-loss","params":{"percent":1e400}}`))
	f.Add([]byte(`{"kind":"drain","params":{"server":"j1","other":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Decode(b)
		if err != nil {
			require.Nil(t, got)
			return
		}
		text, err := Encode(got)
		require.NoError(t, err)
		again, err := Decode(text)
		require.NoError(t, err, "%s", text)
		same, err := Encode(again)
		require.NoError(t, err)
		require.Equal(t, string(text), string(same))
		_ = got.Validate() // says what is wrong, and does not break
	})
}

// FuzzReadLog wants what can be read of an undo log, whatever else is in it: to
// note each entry that is open as done leaves none of them open.
func FuzzReadLog(f *testing.F) {
	line := func(l logLine) []byte {
		b, err := json.Marshal(l)
		require.NoError(f, err)
		return append(b, '\n')
	}
	one, two := Entry{Undo: Unpaused, Node: "j1"}, Entry{Undo: FilterAbsent, Node: "j2", Params: map[string]string{"table": "t"}}
	f.Add(slices.Concat(line(logLine{Entry: &one}), line(logLine{Entry: &two}), line(logLine{Done: &one})))
	f.Add(slices.Concat(line(logLine{Entry: &one}), []byte("{torn\n"), line(logLine{Entry: &two}), []byte(`{"entry":{"undo`)))
	f.Add([]byte("\n\x00\n{}\nnull\n"))
	path := filepath.Join(f.TempDir(), "undo.jsonl")
	f.Fuzz(func(t *testing.T, in []byte) {
		require.NoError(t, os.WriteFile(path, in, 0o644))
		open, err := ReadLog(path)
		whole := bytes.Count(in, []byte("\n"))
		require.LessOrEqual(t, len(open), whole)
		if err != nil {
			require.ErrorContains(t, err, "line ")
		}
		log, err := OpenLog(path)
		require.NoError(t, err)
		for _, e := range slices.Backward(open) {
			if e.Params != nil && len(e.Params) == 0 {
				t.Skip("nobody writes empty parameters")
			}
			require.NoError(t, log.Done(e))
		}
		require.NoError(t, log.Close())
		left, _ := ReadLog(path)
		require.Empty(t, left)
	})
}

// probed wants as many answers as were made, in the order of their times.
func probed(t *testing.T, p probes, made int, text string) {
	t.Helper()
	n := len(p.answered)
	for _, ended := range p.ended {
		n += ended
	}
	require.Equal(t, made, n, "%q", text)
	require.True(t, slices.IsSorted(p.answered), "%q", text)
	_ = p.median()
}

// FuzzProbes: what asks a database or a service prints a line, or a word, for
// each question.
func FuzzProbes(f *testing.F) {
	f.Add("ok 1200\nrefused\nok 80\n", 3)
	f.Add("200 0.012\n000 2.5\n503 0.1\n", 3)
	f.Add("12.5 3.25\n0.7", 3)
	f.Add("NaN Inf -1e400", 3)
	f.Fuzz(func(t *testing.T, text string, made int) {
		if p, err := parseProbes(text, made); err == nil {
			probed(t, p, made, text)
		}
		if p, err := parseHTTP(text, made, time.Second); err == nil {
			probed(t, p, made, text)
		}
		if p, err := parseStatements(text, made); err == nil {
			probed(t, p, made, text)
			require.Len(t, strings.Fields(text), made)
		}
	})
}

// FuzzShowStat: HAProxy's columns differ between its versions.
func FuzzShowStat(f *testing.F) {
	f.Add("# pxname,svname,status,weight,lbtot,stot,scur,qcur\nb,j1,UP,100,5,9,1,0\nb,j2,DRAIN,100,5,9,1,0\n")
	f.Add("# pxname,\n\"")
	f.Add("junk\n# pxname,svname\nb,j1,more,and more\n")
	f.Fuzz(func(t *testing.T, text string) {
		views, err := parseServers(text)
		if err != nil {
			require.Empty(t, views)
			return
		}
		require.LessOrEqual(t, len(views), strings.Count(text, "\n"))
		for _, v := range views {
			require.False(t, v.Serves() && (v.Drains() || v.InMaintenance()), "%+v", v)
		}
		before, after, err := viewOf("j1", [2]string{text, text})
		if err == nil {
			require.Equal(t, before, after)
			require.Equal(t, "j1", before.Name)
		}
	})
}

// FuzzRuntime: what else is asked of HAProxy, and of the processes about it.
func FuzzRuntime(f *testing.F) {
	f.Add("Pid: 8\nMaxconn: 100\n", "12\n40\n--\nchanged\n")
	f.Add("100 (initial 100)", "S\nR\n--\n1795159126.002745 1795159126.002933\n")
	f.Add("a\n--\nb\n--\n1795159126.002745 1795159126.002933", "--\n")
	f.Fuzz(func(t *testing.T, text, list string) {
		if at, err := parseServing(text, list); err == nil {
			require.NotZero(t, at.pid)
			require.NotZero(t, at.maxConn)
			require.LessOrEqual(t, at.workers, len(strings.Fields(list)))
		}
		if now, initial, err := parseWeight(text); err == nil {
			require.GreaterOrEqual(t, now, 0)
			require.GreaterOrEqual(t, initial, 0)
		}
		if replies, _, err := splitInquiry(text); err == nil {
			require.True(t, strings.HasPrefix(text, replies[0]+"\n--\n"+replies[1]+"\n--\n"), "%q", text)
		}
		if states, _, err := parseStates(list); err == nil {
			require.Empty(t, strings.TrimFunc(states, func(r rune) bool { return strings.ContainsRune(list, r) }))
			require.NotContains(t, states, "\n")
		}
	})
}

// FuzzProcess: what is told of a process, of one that dies again and again, of
// one that died at a crash point, and of a release.
func FuzzProcess(f *testing.F) {
	f.Add("1795159126.002745000\n1795159127.002745000\n12\n")
	f.Add("-\n-\n-\n")
	f.Add("on\n12\nend 1795159126.002745000\nrested 1795159126.302745000\nstart 1795159127.002745000\nend 1795159130.002745000\n")
	f.Add("1795159126.002745000\n143\n")
	f.Add("after-commit\nafter-commit 1795159126002745 12.1 k-12\n-\n-\n7\n")
	f.Add("rolling\n1795159126.002745000\n1795159126.002745000\n")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := parseProcess(text); err == nil {
			require.False(t, p.gone.Before(p.killed), "%q", text)
		}
		if l, err := parseLoop(text); err == nil {
			require.True(t, l.left || !l.on, "%q", text)
			require.LessOrEqual(t, len(l.ends)+l.starts, strings.Count(text, "\n")+1)
			require.LessOrEqual(t, len(l.lives), min(len(l.ends), l.starts))
			require.LessOrEqual(t, len(l.rests), len(l.ends))
		}
		if _, status, err := parseRestarted(text); err == nil {
			require.Equal(t, strings.Fields(text)[1], status)
		}
		if m, err := parseMark(text); err == nil {
			require.Equal(t, m.point == "", m.op == "", "%q", text)
			require.Equal(t, m.point == "", m.key == "", "%q", text)
		}
		if _, err := parseRelease(text); err == nil {
			require.Len(t, strings.Fields(text), 3)
		}
	})
}

// FuzzNumbers: the short texts that databases, file systems and kernels print.
func FuzzNumbers(f *testing.F) {
	f.Add("10 20 4096 -")
	f.Add("1|2|3")
	f.Add("1|2")
	f.Add("t 5")
	f.Add("1795159126.002745000 1795159127.002745000 3 2 1")
	f.Add("0 10 9000 2000010 5 0")
	f.Add("max 1 2 3 4 5 6 - - -")
	f.Add("1732082400.100000000 1732082400.200000000 40 40 3 1 0 1100 900")
	f.Add("35 96 1795228799196291929 1795228802295293561 61")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parseSpace(text); err == nil {
			require.Len(t, strings.Fields(text), 4)
		}
		if w, err := parseWritten(text); err == nil {
			require.Len(t, strings.Fields(text), 5)
			require.GreaterOrEqual(t, w.rate(), 0.0, "%q", text)
			require.False(t, math.IsNaN(w.rate()) || math.IsInf(w.rate(), 0), "%q", text)
		}
		if _, err := parseCeiling(text); err == nil {
			require.Equal(t, 2, strings.Count(text, "|"))
		}
		held, waiting, err := parseLock(text)
		if err != nil {
			require.Zero(t, held+waiting)
		}
		if tr, err := parseTrace(text); err == nil {
			require.Equal(t, tr.there, strings.Fields(text)[0] == "t")
		}
		if c, err := parseCleanup(text); err == nil {
			require.Len(t, strings.Fields(text), 9)
			require.NotEmpty(t, c.by())
		}
		if r, err := parseFlood(text); err == nil {
			require.False(t, math.IsNaN(r.kbit) || math.IsInf(r.kbit, 0), "%q", text)
		}
		if p, err := parsePressure(text); err == nil {
			require.Less(t, p.limit, int64(1<<60))
		}
		at, err := parseClock(strings.NewReader(clockGauge + " " + text))
		if err == nil {
			require.False(t, at.Before(time.Unix(0, 0)), "%q", text)
			require.Less(t, at.Year(), 5200, "%q", text)
		}
	})
}

// FuzzGauges wants names without blanks, of lines that are no comments.
func FuzzGauges(f *testing.F) {
	f.Add("# HELP a b\na 1\nb{c=\"d\"} 2.5 1795159126002\n")
	f.Fuzz(func(t *testing.T, text string) {
		for name := range parseGauges(text) {
			require.Len(t, strings.Fields(name), 1)
			require.NotEqual(t, "#", name)
		}
	})
}

// FuzzNetwork: what ip and nft tell of addresses, neighbours and counters, as
// JSON and in words, and the note of an address that was removed.
func FuzzNetwork(f *testing.F) {
	f.Add([]byte(`[{"ifname":"eth0","addr_info":[{"local":"198.18.0.2"}]}]`))
	f.Add([]byte(`[{"dst":"198.18.0.3","lladdr":"02:00:00:00:00:01"},{"dst":"198.18.0.4"}]`))
	f.Add([]byte(`{"nftables":[{"counter":{"name":"out","packets":3}},{"table":{}}]}`))
	f.Add([]byte("1795159126.002745 1795159126.002933 198.18.0.100"))
	f.Add([]byte("chain input { ip protocol vrrp counter packets 3 bytes 120 drop }"))
	f.Add([]byte(snmp(17)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if addrs, err := parseAddresses(b); err == nil {
			require.True(t, json.Valid(b))
			require.LessOrEqual(t, len(addrs), bytes.Count(b, []byte("{"))+bytes.Count(b, []byte("null")))
		}
		if known, err := parseNeighbours(b); err == nil {
			require.True(t, json.Valid(b))
			require.LessOrEqual(t, len(known), bytes.Count(b, []byte("{"))+bytes.Count(b, []byte("null")))
		}
		if c, err := parseCounts(b); err == nil {
			require.NotNil(t, c)
		}
		if r, err := parseRemoved(string(b)); err == nil && len(strings.Fields(string(b))) > 0 {
			require.NotEmpty(t, r.addrs)
			for _, a := range r.addrs {
				require.True(t, a.IsValid())
			}
		}
		if n, err := parseUnwanted(string(b)); err == nil {
			require.True(t, slices.ContainsFunc(strings.Fields(string(b)), func(word string) bool {
				got, err := strconv.Atoi(word)
				return err == nil && got == n
			}), "%q", b)
		}
		for _, chain := range []string{"input", "output"} {
			if !bytes.Contains(b, []byte("chain "+chain+" {")) {
				require.Equal(t, -1, droppedIn(string(b), chain))
			}
		}
		if !bytes.Contains(b, []byte("packets")) {
			require.Zero(t, droppedBy(string(b)))
		}
	})
}

// FuzzStamp writes a time as date does, and wants it back.
func FuzzStamp(f *testing.F) {
	f.Add(int64(1795159126), uint32(2745000))
	f.Fuzz(func(t *testing.T, sec int64, nano uint32) {
		at := time.Unix(max(0, sec%(1<<34)), int64(nano%1_000_000_000))
		for _, point := range []string{".", ","} {
			got, err := parseStamp(fmt.Sprintf("%d%s%09d", at.Unix(), point, at.Nanosecond()))
			require.NoError(t, err)
			require.True(t, at.Equal(got), "%v %v", at, got)
		}
	})
}
