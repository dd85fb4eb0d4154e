package zoo

// Unplanted is a defect that one would look for among the mutants, and why it is not.
type Unplanted struct{ Defect, Why string }

// NotPlanted are those that were looked into. The caller owns the result.
func NotPlanted() []Unplanted {
	return []Unplanted{
		{"a database driver that sends a write again", "pgjdbc sends no statement again by itself; what does are the pool, the balancer and the client, and these are among the mutants"},
		{"a pool that does not validate its connections after a restart of the database", "whether a request is refused while the database is away or by the connection that went with it, its user sees the same once; see the story of db-restart"},
		{"a node that a deployment forgets", "the deployment is hachaos's own act, proven node by node: a node that stays behind is a fault that did not bite, and the run has no verdict. Nodes that differ are among the mutants"},
		{"a session id that two users get", "Jetty draws ids that nobody guesses; how one user comes to see what is another's is planted as a balancer that caches an answer"},
		{"a database without statement_timeout", "the driver's limits of time do its work in both profiles, and their absence is among the mutants"},
		{"another version of a component", "a balancer or a database of another release would need its own image; where a release mended a defect, the configuration or the patch that brings it back is planted"},
	}
}
