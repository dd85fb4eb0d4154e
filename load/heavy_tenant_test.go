package load

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func TestHeavyTenantSticksToItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, net := newApp(), newPipes()
		logins := 0
		a.before = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/login" {
				logins++
			}
			return false
		}
		server := &http.Server{Handler: a}
		go func() { _ = server.Serve(net) }()
		defer server.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		sink := &tenantSink{}
		after, err := HeavyTenant{Rate: 10}.Run(ctx, Target{URL: "http://app", Dial: net.DialContext}, history.StartClock(), sink)
		require.NoError(t, err)
		require.Nil(t, after)
		require.Equal(t, 1, logins)
		require.Len(t, sink.seen, 4, "each second, and what is left")
		sent, good := 0, 0
		for _, s := range sink.seen {
			require.Equal(t, HeavyTenantUser, s.User)
			sent, good = sent+s.Sent, good+s.By["j1"]
		}
		require.InDelta(t, 35, sent, 1)
		require.Equal(t, sent, good)
		require.True(t, sink.covered)
	})
}

func TestHeavyTenantRefuses(t *testing.T) {
	require.NoError(t, HeavyTenant{Rate: 1}.Validate())
	require.ErrorContains(t, HeavyTenant{}.Validate(), "0 requests a second")
	require.ErrorContains(t, HeavyTenant{Rate: 2001}.Validate(), "2001")
}

// tenantSink keeps what a HeavyTenant journals.
type tenantSink struct {
	seen    []history.Tenant
	covered bool
}

func (s *tenantSink) Put(e history.Event) {
	switch e.Name {
	case history.StreamTenant:
		var v history.Tenant
		if json.Unmarshal(e.Data, &v) == nil {
			s.seen = append(s.seen, v)
		}
	case history.StreamCoverage:
		s.covered = true
	}
}
