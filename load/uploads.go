package load

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/hachaos/hachaos/history"
	"github.com/hachaos/hachaos/topology"
)

// Uploads is a companion whose users give files to keep (PUT /uploads/NAME)
// and look at them at once, by another connection, which may lead to another
// node. A file whose fate is unknown is sent again under its name. In the end
// every file that was sent is read through the balancer and from each node.
type Uploads struct {
	// Rate is how many files a second; 1 to 100.
	Rate int `json:"rate"`
	// Size of each in bytes; 1 to 1 MiB.
	Size int `json:"size"`
}

const (
	maxUploadRate = 100
	maxUploadSize = 1 << 20
	uploadWithin  = 5 * time.Second
	uploadTries   = 3
	uploadPath    = "uploads/"
)

// Kind is "uploads".
func (Uploads) Kind() string { return "uploads" }

// Validate reports numbers that make no sense.
func (u Uploads) Validate() error {
	if u.Rate < 1 || u.Rate > maxUploadRate {
		return fmt.Errorf("%d files a second: want 1 to %d", u.Rate, maxUploadRate)
	}
	if u.Size < 1 || u.Size > maxUploadSize {
		return fmt.Errorf("files of %d bytes: want 1 to %d", u.Size, maxUploadSize)
	}
	return nil
}

// Streams are the uploads and what was read again.
func (Uploads) Streams() []string {
	return []string{history.StreamUpload, history.StreamDownload}
}

// Run uploads until ctx ends and waits for what is under way.
func (u Uploads) Run(ctx context.Context, target Target, clock history.RunClock, sink history.Sink) (Aftermath, error) {
	s, err := newStranger(target, uploadWithin)
	if err != nil {
		return nil, err
	}
	run := &uploading{Uploads: u, stranger: s, clock: clock, sink: count(sink), prefix: strconv.FormatInt(clock.Start().UnixNano(), 36)}
	var users sync.WaitGroup
	every(ctx, time.Second/time.Duration(u.Rate), func(n int) {
		users.Go(func() { run.one(context.WithoutCancel(ctx), run.prefix+"-"+strconv.Itoa(n+1)) })
	})
	users.Wait()
	s.close()
	return run.read, nil
}

// uploading is one life of Uploads. Its users are at most Rate × the sum of
// their patience.
type uploading struct {
	Uploads
	*stranger
	clock  history.RunClock
	sink   *counted
	prefix string

	mu    sync.Mutex
	names []string // of which something was sent
}

// content is the file of that name, the same each time.
func (u *uploading) content(name string) []byte {
	h := fnv.New64a()
	h.Write([]byte(name))
	rng := rand.New(rand.NewPCG(h.Sum64(), 0))
	b := make([]byte, u.Size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// one uploads a file and looks at it.
func (u *uploading) one(ctx context.Context, name string) {
	u.mu.Lock()
	u.names = append(u.names, name)
	u.mu.Unlock()
	content, began := u.content(name), u.clock.Now()
	up := history.Upload{Name: name}
	for up.Attempts < uploadTries {
		if up.Attempts > 0 {
			time.Sleep(RetryPause << (up.Attempts - 1)) // a user's pause
		}
		up.Attempts++
		r, err := u.ask(ctx, http.MethodPut, uploadPath+name, content, maxBody)
		unknown := up.Outcome == string(history.Info)
		up.Node, up.Outcome = r.node, string(r.outcome(err))
		if up.Outcome == string(history.OK) {
			break
		}
		if unknown { // what one try left open, the refusal of another does not settle
			up.Outcome = string(history.Info)
		}
	}
	up.Took = u.clock.Now() - began
	u.sink.Put(history.Observe(u.clock.Now(), up))
	if up.Outcome == string(history.OK) {
		u.download(ctx, u.stranger, "vip", name, false)
	}
}

// download reads a file again.
func (u *uploading) download(ctx context.Context, from *stranger, via, name string, last bool) bool {
	d := history.Download{Name: name, Via: via, Last: last}
	r, err := from.ask(ctx, http.MethodGet, uploadPath+name, nil, maxUploadSize)
	d.Node = r.node
	switch {
	case err == errTooLarge:
		d.Known, d.Found = true, true
	case err != nil:
	case r.status == http.StatusOK:
		d.Known, d.Found, d.Same = true, true, bytes.Equal(r.body, u.content(name))
	case r.status == http.StatusNotFound:
		d.Known = true
	}
	u.sink.Put(history.Observe(u.clock.Now(), d))
	return d.Known
}

// read looks at every file through the balancer and at each node.
func (u *uploading) read(ctx context.Context, c topology.Cluster) error {
	defer u.close()
	doors := []struct {
		name string
		*stranger
	}{{"vip", u.stranger}}
	for _, spec := range c.Spec().Nodes {
		if spec.Role != topology.Application {
			continue
		}
		s, err := newStranger(Target{"http://" + net.JoinHostPort(spec.Addr.String(), strconv.Itoa(spec.Port)), topology.Dial(c)}, uploadWithin)
		if err != nil {
			return err
		}
		defer s.close()
		doors = append(doors, struct {
			name string
			*stranger
		}{spec.Name, s})
	}
	u.mu.Lock()
	names := u.names
	u.mu.Unlock()
	for _, door := range doors {
		unanswered := 0
		for _, name := range names {
			if !u.download(ctx, door.stranger, door.name, name, true) {
				unanswered++
			}
			if ctx.Err() != nil {
				return fmt.Errorf("read the files from %s: %w", door.name, ctx.Err())
			}
		}
		if unanswered > 0 {
			return fmt.Errorf("%s gave no answer for %d of %d files", door.name, unanswered, len(names))
		}
	}
	u.sink.cover(u.clock, u.Kind(), u.Streams()...)
	return nil
}
