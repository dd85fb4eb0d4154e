package load

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

// nowhere is a Sink that keeps nothing.
type nowhere struct{}

func (nowhere) Put(history.Event) {}

// fixed answers every request of the contract at once, with one session.
func fixed(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	h := w.Header()
	h["X-Hachaos-Node"] = []string{"j1"}
	h["Content-Type"] = []string{"application/json"}
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		_, _ = io.WriteString(w, `{"order":1,"key":"`+key+`","replayed":false}`)
		return
	}
	h["Set-Cookie"] = []string{"JSESSIONID=j1~s1; Path=/"}
	_, _ = io.WriteString(w, session)
}

// BenchmarkAgainstVegeta sends at each rate to one server, first with vegeta
// alone and then with this package, for as long each. It reports the achieved
// rate as a part of vegeta's (aim: at least 0.95) and how late operations
// were sent (aim at 2,000 a second: 1 ms at the 99th percentile).
func BenchmarkAgainstVegeta(b *testing.B) {
	const each = 3 * time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	srv := &http.Server{Handler: http.HandlerFunc(fixed)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	b.Cleanup(func() { _ = srv.Close(); <-served })
	base := "http://" + l.Addr().String()

	for _, rate := range []int{500, 2000} {
		b.Run(strconv.Itoa(rate), func(b *testing.B) {
			var raw, own, rawLate, late, ratio float64
			for b.Loop() {
				r, rl := alone(base+"/session", rate, each)
				o, s := ours(b, base, rate, each)
				raw, rawLate = raw+r, rawLate+rl.Seconds()*1e3
				own, late = own+o, late+s.Lateness.P99.Seconds()*1e3
				ratio += o / r
			}
			n := float64(b.N)
			b.ReportMetric(ratio/n, "rate-ratio")
			b.ReportMetric(own/n, "ops/s")
			b.ReportMetric(raw/n, "vegeta-ops/s")
			b.ReportMetric(late/n, "late-p99-ms")
			b.ReportMetric(rawLate/n, "vegeta-late-p99-ms")
			b.ReportMetric(0, "ns/op") // set by the duration
		})
	}
}

// alone is vegeta's own achieved rate, and how late its workers were.
func alone(url string, rate int, d time.Duration) (float64, time.Duration) {
	a := vegeta.NewAttacker()
	t := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: url})
	interval := time.Second / time.Duration(rate)
	begin := time.Now()
	var late []time.Duration
	for r := range a.Attack(t, vegeta.Rate{Freq: rate, Per: time.Second}, d, "") {
		if r.Error == "" {
			late = append(late, r.Timestamp.Sub(begin)-time.Duration(r.Seq+1)*interval)
		}
	}
	took := time.Since(begin)
	slices.Sort(late)
	return float64(len(late)) / took.Seconds(), max(0, late[len(late)*99/100])
}

func ours(b *testing.B, base string, rate int, d time.Duration) (float64, Stats) {
	g, err := New(Config{Rate: rate}, Target{URL: base}, history.StartClock(), nowhere{})
	require.NoError(b, err)
	time.AfterFunc(d, g.Stop)
	begin := time.Now()
	require.NoError(b, g.Run(context.Background()))
	took := time.Since(begin)
	s := g.Snapshot()
	require.Zero(b, s.Dropped)
	return float64(s.OK) / took.Seconds(), s
}
