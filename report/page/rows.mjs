// The rows of the page's data as objects. Their places are told in the Go
// files that make them: details.go, sessions.go and writes.go.

// read gives the data's details by name: ops by number, what was logged of
// each, sessions and writes. Times are milliseconds since the run's start.
export function read(d) {
  const name = (i) => d.names[i] || "";
  const group = (rows, make) => {
    const by = new Map();
    for (const r of rows) {
      if (!by.has(r[0])) by.set(r[0], []);
      by.get(r[0]).push(make(r));
    }
    return by;
  };
  const ops = new Map();
  for (const r of d.ops) {
    ops.set(r[0], {
      id: r[0], type: d.types[r[1]], due: r[2], sent: r[3], took: r[4], outcome: d.outcomes[r[5]], error: name(r[6]), status: r[7],
      node: name(r[8]), balancer: name(r[9]), bound: name(r[10]), session: r[11], attempts: r[12], value: r[13], late: r[14],
      bad: r[15] === 1, version: name(r[16]), key: r[17] || "",
    });
  }
  return {
    ops,
    tries: group(d.tries, (r) => ({ end: r[1], outcome: name(r[2]), error: name(r[3]), status: r[4], node: name(r[5]) })),
    requests: group(d.requests, (r) => ({
      attempt: r[1], at: r[2], balancer: name(r[3]), server: name(r[4]), status: r[5], retries: r[6], redispatched: r[7] === 1,
      term: name(r[8]), connected: r[9], answered: r[10], took: r[11], within: r[12],
    })),
    receipts: group(d.receipts, (r) => ({ attempt: r[1], node: name(r[2]), at: r[3], commit: r[4] === 1, order: r[5], within: r[6] })),
    evidence: group(d.evidence, (r) => ({ assertion: name(r[1]), class: name(r[2]), text: r[3], failed: r[4] === 1 })),
    states: group(d.states, (r) => ({ via: name(r[1]), known: r[2] === 1, found: r[3] === 1, id: r[4], user: name(r[5]), count: r[6], ops: r[7] })),
    sessions: d.sessions.map((r) => ({
      id: r[0], user: name(r[1]), from: r[2], to: r[3], ops: r[4], bad: r[5], nodes: r[6].map(name), victim: r[7] === 1, state: name(r[8]), whole: r[9] === 1,
    })),
    writes: d.writes.map((r) => ({
      key: r[0], state: name(r[1]), ops: r[2], attempts: r[3], rows: r[4].map((w) => ({ order: w[0], op: w[1], attempt: w[2], node: name(w[3]) })),
    })),
  };
}
