package observe

import (
	"math"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/stretchr/testify/require"
)

func TestParseMetrics(t *testing.T) {
	tests := []struct {
		name, text string
		want       []sample
		err        string
	}{
		{"empty", "", nil, ""},
		{"comments and blank lines", "# HELP a b\n# TYPE a gauge\n\n  \n", nil, ""},
		{"plain", "hachaos_pool_active 3\n", []sample{{name: "hachaos_pool_active", value: 3}}, ""},
		{"no newline at the end", "a 1", []sample{{name: "a", value: 1}}, ""},
		{"with a time", "hachaos_warm 1 1732082400123\n", []sample{{name: "hachaos_warm", value: 1, millis: 1732082400123}}, ""},
		{"labels", `r{status="2xx"} 7` + "\n", []sample{{name: "r", labels: `status="2xx"`, value: 7}}, ""},
		{"braces and quotes in a label", `r{p="a}\"}{ b",q="c"} 7 5`, []sample{{name: "r", labels: `p="a}\"}{ b",q="c"`, value: 7, millis: 5}}, ""},
		{"space before the value", "a{}   1e3", []sample{{name: "a", value: 1000}}, ""},
		{"tabs and CR", "a\t1\t2\r\n", []sample{{name: "a", value: 1, millis: 2}}, ""},
		{"infinite", "a +Inf", []sample{{name: "a", value: math.Inf(1)}}, ""},
		{"no value", "a", nil, "line 1: no name and value"},
		{"no name", "{x=\"y\"} 1", nil, "no name and value"},
		{"labels without an end", `a{b="c} 1`, nil, "labels do not end"},
		{"words", "a b", nil, "value in"},
		{"a time in words", "a 1 now", nil, "time in"},
		{"too much", "a 1 2 3", nil, "want a value"},
		{"the rest is read all the same", "a 1\nb\nc 3", []sample{{name: "a", value: 1}, {name: "c", value: 3}}, "line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseMetrics([]byte(tt.text))
			require.Equal(t, tt.want, got)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.err)
			}
		})
	}
}

func TestTruthOf(t *testing.T) {
	gauge := func(name string, v float64, ms int64) sample { return sample{name: name, value: v, millis: ms} }
	tests := []struct {
		name    string
		samples []sample
		want    history.Truth
	}{
		{"all well", []sample{
			gauge(gaugeWarm, 1, 5000), gauge(gaugeDatabase, 1, 4900), gauge(gaugeActive, 2, 0),
			gauge(gaugeWaiting, 3, 0), gauge(gaugeThreads, 4, 0), gauge(gaugeInFlight, 5, 0),
		}, history.Truth{Up: true, Warm: true, Database: true, Active: 2, Waiting: 3, Threads: 4, InFlight: 5}},
		{"cold", []sample{gauge(gaugeWarm, 0, 5000), gauge(gaugeDatabase, 1, 5000)}, history.Truth{Up: true, Database: true}},
		{
			"the look at the database is too old to count",
			[]sample{gauge(gaugeWarm, 1, 5000), gauge(gaugeDatabase, 1, 3999)},
			history.Truth{Up: true, Warm: true},
		},
		{
			"just not too old",
			[]sample{gauge(gaugeWarm, 1, 5000), gauge(gaugeDatabase, 1, 4000)},
			history.Truth{Up: true, Warm: true, Database: true},
		},
		{
			"without times",
			[]sample{gauge(gaugeWarm, 1, 0), gauge(gaugeDatabase, 1, 0)},
			history.Truth{Up: true, Warm: true, Database: true},
		},
		{
			"another's sample with labels does not count",
			[]sample{gauge(gaugeWarm, 1, 0), {name: gaugeDatabase, labels: `a="b"`, value: 1}},
			history.Truth{Up: true, Warm: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, truthOf(gauges(tt.samples))) })
	}
}

func TestParseNodeLine(t *testing.T) {
	at := time.UnixMicro(1732082400123456)
	tests := []struct {
		name, line string
		want       nodeLine
		err        string
	}{
		{
			"arrive", `{"hachaos":"receipt","at":1732082400123456,"node":"j1","what":"arrive","op":"12.1","key":"k-12","path":"/orders"}`,
			nodeLine{at: at, receipt: &history.Receipt{Node: "j1", What: "arrive", Op: 12, Attempt: 1, Key: "k-12"}},
			"",
		},
		{
			"commit", `{"hachaos":"receipt","at":1732082400123456,"node":"j1","what":"commit","op":"12.2","key":"k-12","order":31}`,
			nodeLine{at: at, receipt: &history.Receipt{Node: "j1", What: "commit", Op: 12, Attempt: 2, Key: "k-12", Order: 31}},
			"",
		},
		{
			"commit of a stranger", `{"hachaos":"receipt","at":1732082400123456,"node":"j1","what":"commit","op":"","key":"x","order":1}`,
			nodeLine{at: at, receipt: &history.Receipt{Node: "j1", What: "commit", Key: "x", Order: 1}},
			"",
		},
		{
			"transition", `{"hachaos":"transition","at":1732082400123456,"node":"j1","what":"unready","reason":"database: refused","version":"1"}`,
			nodeLine{at: at, transition: &history.Transition{Node: "j1", What: "unready", Reason: "database: refused", Version: "1"}},
			"",
		},
		{"somebody else's", `{"hachaos":"supervisor","what":"start","pid":7,"code":0}`, nodeLine{}, ""},
		{"torn", `{"hachaos":"receipt","at":17320824`, nodeLine{}, "log line"},
		{"no time", `{"hachaos":"receipt","node":"j1","what":"arrive","op":"1.1"}`, nodeLine{}, "without at"},
		{"no node", `{"hachaos":"transition","at":1,"what":"warm"}`, nodeLine{}, "without at, node or what"},
		{"time in words", `{"hachaos":"receipt","at":"now","node":"j1","what":"arrive","op":"1.1"}`, nodeLine{}, "receipt"},
		{"an op without an attempt", `{"hachaos":"receipt","at":1,"node":"j1","what":"arrive","op":"12"}`, nodeLine{}, "<op>.<attempt>"},
		{"a negative attempt", `{"hachaos":"receipt","at":1,"node":"j1","what":"arrive","op":"12.-1"}`, nodeLine{}, "<op>.<attempt>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseNodeLine([]byte(tt.line))
			require.Equal(t, tt.want, got)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.err)
			}
		})
	}
}

func TestParseDispatch(t *testing.T) {
	at := time.UnixMicro(1795158258114752)
	tests := []struct {
		name, line string
		want       dispatchLine
		ok         bool
		err        string
	}{
		{
			"served", `{"hachaos":"dispatch","lb":"lb1","at":"1795158258114752","n":64,"pid":8,"id":"A1","op":"12.1","key":"k-12","m":"POST","p":"/orders","st":201,"srv":"j1","retr":"0","term":"--NI","Tw":0,"Tc":1,"Tr":252,"Ta":253,"bytes":210}`,
			dispatchLine{at: at, numbered: true, pid: 8, v: history.Dispatch{
				Balancer: "lb1", Number: 64, Op: 12, Attempt: 1, Key: "k-12", Server: "j1", Status: 201, Term: "--NI",
				Connect: time.Millisecond, Response: 252 * time.Millisecond, Total: 253 * time.Millisecond, Bytes: 210,
			}},
			true, "",
		},
		{
			"redispatched", `{"hachaos":"dispatch","lb":"lb1","at":"1795158258114752","n":5,"op":"12.1","key":"-","st":200,"srv":"j2","retr":"+1","term":"--DR","Tw":0,"Tc":200,"Tr":3,"Ta":203,"bytes":9}`,
			dispatchLine{at: at, numbered: true, v: history.Dispatch{
				Balancer: "lb1", Number: 5, Op: 12, Attempt: 1, Server: "j2", Status: 200, Term: "--DR", Retries: 1, Redispatched: true,
				Connect: 200 * time.Millisecond, Response: 3 * time.Millisecond, Total: 203 * time.Millisecond, Bytes: 9,
			}},
			true, "",
		},
		{
			"no server was chosen", `{"hachaos":"dispatch","lb":"lb1","at":"1795158258114752","n":6,"op":"-","key":"-","st":503,"srv":"<NOSRV>","retr":"0","term":"SC--","Tw":-1,"Tc":-1,"Tr":-1,"Ta":0,"bytes":9}`,
			dispatchLine{at: at, numbered: true, v: history.Dispatch{
				Balancer: "lb1", Number: 6, Status: 503, Term: "SC--", Wait: -1, Connect: -1, Response: -1, Bytes: 9,
			}},
			true, "",
		},
		{
			"numbers without quotes, and a space after each colon", `{"hachaos": "dispatch", "lb": "lb1", "at": 1795158258114752, "n": 4, "id": "c385c002", "op": "", "key": "", "m": "GET", "p": "/a#22b", "st": 200, "srv": "j2", "retr": "0", "term": "--NN", "Tw": 0, "Tc": 0, "Tr": 0, "Ta": 0, "bytes": 73}`,
			dispatchLine{at: at, numbered: true, v: history.Dispatch{
				Balancer: "lb1", Number: 4, Server: "j2", Status: 200, Term: "--NN", Bytes: 73,
			}},
			true, "",
		},
		{
			"a connection closed unused", `{"hachaos": "dispatch", "lb": "lb1", "at": "", "n": "", "id": "", "op": "", "key": "", "m": "<BADREQ>", "p": "<BADREQ>", "st": 400, "srv": "<NOSRV>", "retr": "0", "term": "CR--", "Tw": -1, "Tc": -1, "Tr": -1, "Ta": 0, "bytes": 0}`,
			dispatchLine{v: history.Dispatch{
				Balancer: "lb1", Status: 400, Term: "CR--", Wait: -1, Connect: -1, Response: -1,
			}},
			true, "",
		},
		{"another kind", `{"hachaos":"supervisor","what":"start"}`, dispatchLine{}, false, ""},
		{"torn", `{"hachaos":"dispatch","lb":"lb`, dispatchLine{}, false, "dispatch"},
		{"time in words", `{"hachaos":"dispatch","lb":"lb1","at":"noon","n":7,"retr":"0"}`, dispatchLine{}, false, "not a count"},
		{"op in words", `{"hachaos":"dispatch","lb":"lb1","at":"1","n":7,"op":"x","retr":"0"}`, dispatchLine{}, true, "dispatch 7: op"},
		{"retries in words", `{"hachaos":"dispatch","lb":"lb1","at":"1","n":7,"retr":"some"}`, dispatchLine{}, true, "dispatch 7: retries"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := parseDispatch([]byte(tt.line))
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.ok, ok)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tt.err)
			}
		})
	}
}

// The files are what HAProxy 3.0.11 and iproute2 6.15 answered.

func TestParseReply(t *testing.T) {
	text, err := os.ReadFile("testdata/show-servers.txt")
	require.NoError(t, err)
	got, rows, err := parseReply(string(text))
	require.NoError(t, err)
	require.Equal(t, info{pid: 8, uptime: 8, requests: 79}, got)
	var servers []history.Server
	for _, r := range rows {
		servers = append(servers, serverOf("lb1", r, time.Millisecond))
	}
	require.Equal(t, []history.Server{
		{Balancer: "lb1", Server: "j1", Status: "UP", Up: true, Check: "L7OK", Weight: 100, Total: 4, Took: time.Millisecond},
		{Balancer: "lb1", Server: "j2", Status: "DOWN", Check: "L4CON", Weight: 100, Took: time.Millisecond},
		{Balancer: "lb1", Server: "j3", Status: "DRAIN", Check: "L7OK", Weight: 100, Took: time.Millisecond},
		{Balancer: "lb1", Server: "j4", Status: "MAINT", Weight: 100, Took: time.Millisecond},
	}, servers)
}

func TestParseReplyErrors(t *testing.T) {
	tests := []struct{ name, text, err string }{
		{"empty", "", "no table"},
		{"no info", "# pxname,svname\n", "Pid"},
		{"info in words", "Pid: many\nUptime_sec: 1\nCumReq: 1\nDroppedLogs: 0\n\n# pxname,svname\n", "Pid"},
		{"a quote without an end", "Pid: 1\nUptime_sec: 1\nCumReq: 1\nDroppedLogs: 0\n\n# pxname,svname\na,\"b\n", "show stat"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := parseReply(tt.text)
			require.ErrorContains(t, err, tt.err)
		})
	}
}

func TestParseStatColumns(t *testing.T) {
	rows, err := parseStat("# svname,scur,last_chk,weight,\nj1,3,\"said \"\"no\"\", twice\",100,\nj2,,short\nj3,1,x,2,,surplus\n\n")
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, `said "no", twice`, rows[0]["last_chk"])
	require.EqualValues(t, 3, rows[0].number("scur"))
	require.EqualValues(t, 0, rows[1].number("weight"))
	require.EqualValues(t, 0, rows[1].number("scur"))
	require.EqualValues(t, 2, rows[2].number("weight"))
	_, err = parseStat("Unknown command\n")
	require.ErrorContains(t, err, "no header")
}

func TestTakes(t *testing.T) {
	for status, want := range map[string]bool{
		"UP": true, "UP 1/2": true, "no check": true,
		"DOWN": false, "DOWN 1/2": false, "DRAIN": false, "MAINT": false, "MAINT (via b/s)": false, "NOLB": false, "": false,
	} {
		require.Equal(t, want, takes(status), status)
	}
}

func TestParseAddrs(t *testing.T) {
	text, err := os.ReadFile("testdata/ip-addr.json")
	require.NoError(t, err)
	got, err := parseAddrs(text)
	require.NoError(t, err)
	require.Equal(t, []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("198.19.250.10")}, got)

	got, err = parseAddrs([]byte(`[{},{"addr_info":[]}]`))
	require.NoError(t, err)
	require.Empty(t, got)
	for _, bad := range []string{``, `{}`, `[{"addr_info":[{"local":"here"}]}]`} {
		_, err = parseAddrs([]byte(bad))
		require.ErrorContains(t, err, "ip addr")
	}
}

func TestParseOwnerLine(t *testing.T) {
	got, err := parseOwnerLine("1795159126.002745 1795159126,002933 1")
	require.NoError(t, err)
	require.Equal(t, ownerLine{time.Unix(1795159126, 2745000), time.Unix(1795159126, 2933000), true}, got)
	for _, bad := range []string{
		"", "1795159126.002745 1", "1795159126.002745 1795159126.002933 2", "1795159126 1795159126.002933 1",
		"1795159126.2 1795159126.002933 1", "-5.002745 1795159126.002933 0", "a.002745 1795159126.002933 0",
		"1795159126.002745 1795159126.002933 1 1",
	} {
		_, err := parseOwnerLine(bad)
		require.Error(t, err, bad)
	}
}

func TestParseCPU(t *testing.T) {
	got, err := parseCPU("cpu  100 20 30 400 50 6 7 8 90 1\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
	require.NoError(t, err)
	require.Equal(t, cpuTimes{total: 621, idle: 450, steal: 8}, got)
	for _, bad := range []string{"", "cpu 1 2 3", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 5 6 7 x"} {
		_, err := parseCPU(bad)
		require.Error(t, err, bad)
	}
}

func TestParsePressure(t *testing.T) {
	require.Equal(t, 97*time.Second, parsePressure("some avg10=1.42 avg60=1.31 avg300=1.74 total=97000000\nfull avg10=0.50 avg60=0.17 avg300=0.42 total=43902921\n"))
	for _, bad := range []string{"", "some avg10=1.42", "full avg10=0.50 avg60=0.17 avg300=0.42 total=43902921", "some total=x", "some x total=-5", "some x total=9223372036854775807"} {
		require.Zero(t, parsePressure(bad), bad)
	}
}

func TestLoadBetween(t *testing.T) {
	at := func(at time.Duration, total, idle, steal uint64, waited time.Duration) hostTimes {
		return hostTimes{at, cpuTimes{total, idle, steal}, waited}
	}
	const sec = time.Second
	tests := []struct {
		name string
		a, b hostTimes
		want history.Host
		ok   bool
	}{
		{"half busy, a tenth stolen", at(0, 100, 50, 0, 0), at(sec, 200, 90, 10, 0), history.Host{Busy: 0.5, Steal: 0.1}, true},
		{"idle", at(0, 100, 50, 5, 0), at(sec, 200, 150, 5, 0), history.Host{}, true},
		{"no time passed", at(0, 100, 50, 0, 0), at(0, 100, 50, 0, 0), history.Host{}, false},
		{"idle went back, as it may", at(0, 100, 50, 0, 0), at(sec, 200, 49, 0, 0), history.Host{}, false},
		{"more idle than time", at(0, 100, 50, 0, 0), at(sec, 110, 70, 0, 0), history.Host{}, false},
		{"a disk was waited for", at(sec, 100, 50, 0, 7*sec), at(2*sec, 200, 150, 0, 7*sec+sec/4), history.Host{Disk: 0.25}, true},
		{"for more than the time, by two clocks", at(sec, 100, 50, 0, 7*sec), at(2*sec, 200, 150, 0, 9*sec), history.Host{Disk: 1}, true},
		{"nobody had known before", at(sec, 100, 50, 0, 0), at(2*sec, 200, 150, 0, 9*sec), history.Host{}, true},
		{"nobody knows any more", at(sec, 100, 50, 0, 7*sec), at(2*sec, 200, 150, 0, 0), history.Host{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := loadBetween(tt.a, tt.b)
			require.Equal(t, tt.ok, ok)
			require.InDelta(t, tt.want.Busy, got.Busy, 1e-12)
			require.InDelta(t, tt.want.Steal, got.Steal, 1e-12)
			require.InDelta(t, tt.want.Disk, got.Disk, 1e-12)
		})
	}
}

func TestWithoutServer(t *testing.T) {
	for cookie, want := range map[string]string{
		"JSESSIONID=j1~node0abc.j1":             "JSESSIONID=node0abc.j1",
		"JSESSIONID=node0abc.j1":                "JSESSIONID=node0abc.j1",
		"a=x~y; JSESSIONID=j2~abc.j2; b=1":      "a=x~y; JSESSIONID=abc.j2; b=1",
		"":                                      "",
		"JSESSIONID":                            "JSESSIONID",
		"JSESSIONID=j1~a~b":                     "JSESSIONID=a~b",
		"XJSESSIONID=j1~a; JSESSIONID=j1~node0": "XJSESSIONID=j1~a; JSESSIONID=node0",
	} {
		require.Equal(t, want, withoutServer(cookie), cookie)
	}
}

func TestSessionBody(t *testing.T) {
	var s history.SessionState
	require.NoError(t, sessionBody([]byte(`{"id":"abc","user":"u7","count":2,"new":false,"node":"j1","version":"1","ops":["12","40.2"]}`), &s))
	require.Equal(t, history.SessionState{Known: true, Found: true, ID: "abc", User: "u7", Count: 2, Ops: []uint64{12, 40}}, s)
	for _, bad := range []string{``, `{}`, `{"id":"abc"}`, `{"count":1}`, `{"id":"abc","count":1,"ops":["x"]}`} {
		s = history.SessionState{}
		require.Error(t, sessionBody([]byte(bad), &s), bad)
		require.Equal(t, history.SessionState{}, s, bad)
	}
}

func TestParseRefusal(t *testing.T) {
	const reserved = `2026-11-20 10:48:12.883 UTC [91] [unknown] FATAL:  remaining connection slots are reserved for roles with privileges of the "pg_use_reserved_connections" role`
	for line, want := range map[string]bool{
		reserved: true,
		"2026-11-20 10:48:12.883 UTC [91] [unknown] FATAL:  sorry, too many clients already":       true,
		"2026-11-20 10:48:12.883 UTC [91] j1 FATAL:  terminating connection due to administrator":  false,
		"2026-11-20 10:48:12.883 UTC [91] j1 STATEMENT:  SELECT 'sorry, too many clients already'": false,
	} {
		require.Equal(t, want, isRefusal([]byte(line)), line)
	}
	at, text, err := parseRefusal([]byte(reserved))
	require.NoError(t, err)
	require.True(t, at.Equal(time.Date(2026, 11, 20, 10, 48, 12, 883e6, time.UTC)), at)
	require.Equal(t, `remaining connection slots are reserved for roles with privileges of the "pg_use_reserved_connections" role`, text)
	for _, bad := range []string{"", "FATAL: sorry, too many clients already, and not one word of when"} {
		_, _, err = parseRefusal([]byte(bad))
		require.Error(t, err)
	}
}
