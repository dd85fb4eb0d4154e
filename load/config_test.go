package load

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hachaos/hachaos/history"
)

func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		want []string // parts of the error; none: it is valid
	}{
		"default":               {cfg: Default()},
		"rate alone":            {cfg: Config{Rate: 1}},
		"highest rate":          {cfg: Config{Rate: MaxRate}},
		"reads come back early": {cfg: Config{Rate: 200, Sessions: 20, Reads: 1}},
		"a quick order":         {cfg: Config{Rate: 200, Sessions: 40, OrderWork: 100 * time.Millisecond}},
		"zero":                  {cfg: Config{}, want: []string{"a rate of 0", "would send nothing", "--set rate=125"}},
		"negative rate":         {cfg: Config{Rate: -5}, want: []string{"a rate of -5", "out of range"}},
		"rate too high":         {cfg: Config{Rate: MaxRate + 1}, want: []string{"out of range", "from 1 to 20000"}},
		"negative part":         {cfg: Config{Rate: 1, Writes: 2, Reads: -1}, want: []string{"-1 session reads in the mix", "--set mix=…"}},
		"negative sessions":     {cfg: Config{Rate: 1, Sessions: -1}, want: []string{"-1 sessions", "--set sessions-count=…"}},
		"no room for the mix":   {cfg: Config{Rate: 1, SessionOps: 2}, want: []string{"2 operations of a session", "at least 3"}},
		"too many sessions":     {cfg: Config{Rate: 1, Sessions: 20001}, want: []string{"20001 sessions are too many: at most 20000", "--set sessions-count=…"}},
		"an endless mix":        {cfg: Config{Rate: 1, Reads: 1 << 60}, want: []string{"session reads in the mix are too many: at most 1000", "--set mix=…"}},
		"an endless timeout":    {cfg: Config{Rate: 1, Timeout: time.Hour}, want: []string{"the timeout is 1h0m0s", "at most 5m0s"}},
		"negative timeout":      {cfg: Config{Rate: 1, Timeout: -1}, want: []string{"the timeout is -1ns", "--set timeout=…"}},
		"negative retries":      {cfg: Config{Rate: 1, MaxRetries: -1}, want: []string{"-1 retries"}},
		"negative ceiling":      {cfg: Config{Rate: 1, Ceiling: -1}, want: []string{"-1 outstanding operations"}},
		"queues behind itself": {
			cfg: Config{Rate: 400, Sessions: 100},
			want: []string{
				"100 sessions at 400 operations a second are each due again after 250ms (100 ÷ 400)",
				"an order alone is 250ms of work, and 100ms are allowed beside it",
				"at least 140 sessions (--set sessions-count=140)",
				"at most 285 operations a second (--set rate=285)",
			},
		},
		"reads behind themselves": {
			cfg:  Config{Rate: 200, Sessions: 19, Reads: 1},
			want: []string{"due again after 95ms", "at least 20 sessions", "at most 190 operations"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.cfg.Validate()
			if tc.want == nil {
				require.NoError(t, err)
				return
			}
			for _, part := range tc.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

// What the error advises is accepted.
func TestAdviceIsGood(t *testing.T) {
	for rate := 1; rate < 2000; rate += 7 {
		for _, sessions := range []int{1, 3, 50, 333} {
			cfg := Config{Rate: rate, Sessions: sessions}
			if cfg.Validate() == nil {
				continue
			}
			more, less := cfg, cfg
			more.Sessions = int(ceil(int64(Margin+250*time.Millisecond), int64(cfg.Interval())))
			less.Rate = int(float64(sessions) / (Margin + 250*time.Millisecond).Seconds())
			require.NoError(t, more.Validate())
			if less.Rate > 0 {
				require.NoError(t, less.Validate())
			}
		}
	}
}

func TestResolved(t *testing.T) {
	require.Equal(t, 100, Config{Rate: 200}.Resolved().Sessions)
	require.Equal(t, 1000, Config{Rate: 2000}.Resolved().Sessions)
	require.Equal(t, 7, Config{Rate: 2000, Sessions: 7}.Resolved().Sessions)
	require.Equal(t, history.LoadMeta{
		Rate: 200, Sessions: 100, Timeout: 10 * time.Second, Retry: true, Late: 5 * time.Millisecond,
	}, Config{Rate: 200}.Meta())
	require.Equal(t, 5*time.Millisecond, Config{Rate: 200}.Interval())
	require.Equal(t, Config{Rate: 1, Reads: 1}.Resolved().Orders, 0, "a mix is not filled up")
}

func TestWith(t *testing.T) {
	base := Default()
	for name, tc := range map[string]struct {
		set  map[string]string
		want func(*Config)
		err  string
	}{
		"nothing": {want: func(*Config) {}},
		"all": {
			set: map[string]string{
				"rate": "50", "sessions-count": "60", "session-ops": "9", "client-retry": "off", "timeout": "3s", "mix": "3:2:0",
			},
			want: func(c *Config) {
				c.Rate, c.Sessions, c.SessionOps, c.NoRetry, c.Timeout = 50, 60, 9, true, 3*time.Second
				c.Writes, c.Reads, c.Orders = 3, 2, 0
			},
		},
		"on":            {set: map[string]string{"client-retry": "on"}, want: func(*Config) {}},
		"unknown key":   {set: map[string]string{"rat": "1"}, err: `unknown key "rat": use one of rate, sessions-count`},
		"rate of zero":  {set: map[string]string{"rate": "0"}, err: "a rate of 0 operations a second would send nothing"},
		"rate in words": {set: map[string]string{"rate": "fast"}, err: "load: --set rate=fast: give a whole number"},
		"no sessions":   {set: map[string]string{"sessions-count": "0"}, err: "--set sessions-count=0: give a whole number of at least 1"},
		"retry maybe":   {set: map[string]string{"client-retry": "maybe"}, err: "--set client-retry=maybe: use on or off"},
		"no timeout":    {set: map[string]string{"timeout": "0s"}, err: "--set timeout=0s: give a duration above 0"},
		"timeout plain": {set: map[string]string{"timeout": "10"}, err: "such as 10s"},
		"two parts":     {set: map[string]string{"mix": "1:1"}, err: "--set mix=1:1: give three whole numbers"},
		"no mix":        {set: map[string]string{"mix": "0:0:0"}, err: "not all 0"},
		"negative mix":  {set: map[string]string{"mix": "1:-1:1"}, err: "give three whole numbers"},
		"checked":       {set: map[string]string{"sessions-count": "10"}, err: "queue behind themselves"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := base.With(tc.set)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			want := base
			tc.want(&want)
			require.Equal(t, want, got)
		})
	}
}

func TestSwitchesDescribeTheDefault(t *testing.T) {
	for _, s := range Switches() {
		require.NotEmpty(t, s.About)
		if s.Key == "sessions-count" {
			continue // its default is a rule
		}
		got, err := Default().With(map[string]string{s.Key: s.Default})
		require.NoError(t, err)
		require.Equal(t, Default(), got, s.Key)
	}
}
