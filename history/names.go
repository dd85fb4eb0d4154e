package history

// Names interns the strings of a history. The zero value is ready to use and
// knows the empty string as 0. It is not safe for concurrent use while Intern
// is called.
type Names struct {
	list  []string
	index map[string]Name
}

// Intern returns the number of s.
func (n *Names) Intern(s string) Name {
	if s == "" {
		return 0
	}
	if i, ok := n.index[s]; ok {
		return i
	}
	if n.index == nil {
		n.index = map[string]Name{}
		n.list = append(n.list, "")
	}
	i := Name(len(n.list))
	n.list = append(n.list, s)
	n.index[s] = i
	return i
}

// Get returns the string of i, and the empty string for a number that was
// never given out.
func (n *Names) Get(i Name) string {
	if n == nil || int(i) >= len(n.list) {
		return ""
	}
	return n.list[i]
}

// Find returns the number of s, if it was interned.
func (n *Names) Find(s string) (Name, bool) {
	if s == "" {
		return 0, true
	}
	i, ok := n.index[s]
	return i, ok
}
