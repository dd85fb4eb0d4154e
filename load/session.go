package load

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hachaos/hachaos/history"
)

// client is one user: its sessions follow each other, each from a login to a
// logout with an empty cookie jar at its beginning. Whoever holds the
// turnstile's turn is the only writer; the others read under mu.
type client struct {
	turns turnstile
	user  string

	mu      sync.Mutex
	session uint32 // 0: not logged in
	bound   string // the node that last answered
	jar     jar
}

// ref is the live session as it can be read again; false if there is none or no
// cookie names it.
func (c *client) ref() (history.SessionRef, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == 0 || len(c.jar) == 0 {
		return history.SessionRef{}, false
	}
	return history.SessionRef{Session: c.session, User: c.user, Cookie: c.jar.header()}, true
}

// now is the session, where it is bound and the cookie that names it.
func (c *client) now() (session uint32, bound, cookie string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session, c.bound, c.jar.header()
}

// begin starts a session with an empty jar.
func (c *client) begin(session uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.bound, c.jar = session, "", nil
}

// end forgets the session.
func (c *client) end() {
	c.begin(0)
}

// learn takes what an answer says about the session: its cookies, and the
// node that it is bound to.
func (c *client) learn(node string, cookies []*http.Cookie) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if node != "" {
		c.bound = node
	}
	for _, k := range cookies {
		c.jar = c.jar.set(k)
	}
}

// jar holds the cookies of one session with one server, in the order in
// which they came. Paths, domains and expiry times are the server's for
// browsers; here there is one server, and a session outlives no jar. It is a
// value: set returns another.
type jar []cookie

type cookie struct{ name, value string }

// set adds, replaces or, if the server took it back, removes a cookie.
func (j jar) set(k *http.Cookie) jar {
	out := slices.DeleteFunc(slices.Clone(j), func(c cookie) bool { return c.name == k.Name })
	if k.MaxAge < 0 || k.Value == "" {
		return out
	}
	return append(out, cookie{k.Name, k.Value})
}

// header is the Cookie header of the jar.
func (j jar) header() string {
	switch len(j) {
	case 0:
		return ""
	case 1:
		return j[0].name + "=" + j[0].value
	}
	var b strings.Builder
	for i, c := range j {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.name + "=" + c.value)
	}
	return b.String()
}
