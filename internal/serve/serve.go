// Package serve shows the runs of a folder as pages, to this machine only. It
// writes nothing, and nothing that it shows leads out of the folder.
package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hachaos/hachaos/compare"
	"github.com/hachaos/hachaos/harness"
	"github.com/hachaos/hachaos/report"
)

// Judge judges a run's folder.
type Judge func(dir string) (*harness.Result, error)

// Compare compares what is in the folders, as `hachaos compare DIRS… --by BY`
// does; all also takes the figures of single phases. missing are the subjects
// that are not in every group. Folders are only to be judged by judge.
type Compare func(judge Judge, dirs []string, by string, all bool) (list []compare.Comparison, missing []string, err error)

// Server serves the runs of a folder. It is safe for concurrent use.
type Server struct {
	dir      string
	compare  Compare
	patience time.Duration

	reading   sync.Mutex // of the folder
	memory    memory
	comparing chan struct{} // holds one: judging takes a core
}

// New serves the folder dir. It is an error if there is none.
func New(dir string, c Compare) (*Server, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no folder %s: `hachaos run` makes one, or name another", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, bare(err))
	}
	return &Server{dir: dir, compare: c, patience: patience, comparing: make(chan struct{}, 1)}, root.Close()
}

// Listen listens on an address of this machine that no other one reaches; any
// other address is an error. Port 0 is a free one. Names are not looked up,
// but for localhost, which is 127.0.0.1.
func Listen(address string, port int) (net.Listener, error) {
	if address == "localhost" {
		address = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return nil, fmt.Errorf("%s is no address: want 127.0.0.1 or ::1, without a port", address)
	}
	if !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not loopback, and who reaches the pages can read every run: want 127.0.0.1 or ::1; "+
			"another machine gets there by forwarding a port, such as ssh -L 8765:127.0.0.1:8765", address)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("%w (port 0 is a free one)", err)
	}
	return l, nil
}

const (
	// patience is how long answers that are under way may take once the server
	// is to end. It is short because of browsers, which open connections ahead
	// that they may never use.
	patience = 3 * time.Second
	// headTime bounds the reading of a request, which has no body.
	headTime = 10 * time.Second
	idleTime = 2 * time.Minute
)

// Serve answers on l until ctx ends; then it lets what is under way come to its
// end, closes l and every connection, and returns. What goes wrong in an answer
// is written to errs.
func (s *Server) Serve(ctx context.Context, l net.Listener, errs io.Writer) error {
	srv := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headTime, IdleTimeout: idleTime,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(errs, "hachaos: ", 0),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	<-ended
	return err
}

// Handler has the pages: the list at /, comparisons at /compare, and the files
// of runs and suites below /files/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", s.list)
	mux.HandleFunc("/compare", s.comparison)
	mux.HandleFunc("/files/{path...}", s.files)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		notice(w, http.StatusNotFound, "There is no such page", "The list of runs leads to all that there are.")
	})
	return guarded(mux)
}

// What browsers let the pages do: nothing but what their own style says, and to
// send their forms back here.
const ownPolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded answers only who asked for this machine by its own name, so that no
// page of another site reads the runs by a name of its own that leads here, and
// only what changes nothing.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", ownPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !ours(r.Host) {
			http.Error(w, "hachaos answers to localhost, 127.0.0.1 and [::1] only", http.StatusMisdirectedRequest)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "hachaos shows runs, and changes none: want GET or HEAD", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ours says whether a request's Host is this machine. Its port may be another,
// where one is forwarded.
func ours(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && ip.IsLoopback()
}

// answer sends a page; one that cannot be rendered is not sent in part.
func answer(w http.ResponseWriter, status int, render func(io.Writer) error) {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		http.Error(w, "hachaos: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // who asked may be gone
}

// notice sends a page that says why there is no other one.
func notice(w http.ResponseWriter, status int, title, text string, advice ...report.Advice) {
	answer(w, status, func(w io.Writer) error { return report.NoticeHTML(w, title, text, advice...) })
}

// bare is an error without the path that it begins with.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
