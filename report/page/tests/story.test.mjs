import assert from "node:assert/strict";
import { test } from "node:test";
import { read } from "../rows.mjs";
import { lineOf, storyOf } from "../story.mjs";

// The rows of an order that was applied twice: its first attempt was
// committed by j2 and never answered, its second by j1.
const details = {
  names: ["", "lb2", "j1", "j2", "SHVN", "info", "reset", "duplicate", "write-ledger", "1", "u4"],
  types: ["other", "login", "logout", "session-write", "session-read", "order"], outcomes: ["info", "ok", "fail"],
  ops: [[60, 5, 1000, 0.1, 120, 1, 0, 201, 2, 1, 3, 17, 2, 772, 0, 0, 9, "k-60"]],
  tries: [[60, 1040, 5, 6, 0, 0]],
  requests: [[60, 1, 999.5, 1, 3, -1, 1, 0, 4, 0, -1, 40, 1.1], [60, 2, 1100, 1, 2, 201, 0, 0, 0, 0, 15, 20, 1]],
  receipts: [[60, 1, 3, 1010, 0, 0, 1], [60, 1, 3, 1020, 1, 740, 1], [60, 2, 2, 1110, 1, 772, 1]],
  evidence: [[60, 8, 7, "two rows", 1]],
  states: [[17, 2, 1, 1, "s17", 10, 5, 5]],
  sessions: [[17, 10, 900, 1500, 20, 1, [3, 2], 1, 0, 1]],
  writes: [["k-60", 7, [60], 2, [[740, 60, 1, 3], [772, 60, 2, 2]]]],
};

test("a duplicate shows both applications and the retry that made it", () => {
  const data = read(details);
  const told = storyOf(data.ops.get(60), data).map((l) => l.who + ": " + l.what);
  assert.deepEqual(told, [
    "schedule: due; its session is bound to j2",
    "client: sent",
    "lb2: took attempt 1 to j2; sent again 1 time; no status; termination SHVN; after 40 ms",
    "j2: attempt 1 arrived",
    "j2: attempt 1 committed as order 740",
    "client: attempt 1 ended: reset, nobody knows whether it was applied; tried again",
    "lb2: took attempt 2 to j1; status 201; after 20 ms",
    "j1: attempt 2 committed as order 772",
    "client: ok, status 201, by j1; order 772, 120 ms after it was due",
    "database: order 740, of attempt 60.1 on j2, as read after the load",
    "database: order 772, of attempt 60.2 on j1, as read after the load",
  ]);
});

test("an operation that never ended says so, and has no time for it", () => {
  const data = read({ ...details, ops: [[61, 3, 2000, -1, -1, 0, 6, 0, 0, 0, 3, 17, 1, 0, 0, 1, 0]], writes: [] });
  const told = storyOf(data.ops.get(61), data);
  assert.deepEqual(told.map((l) => l.what), ["due; its session is bound to j2", "nothing was written to the wire", "never ended: nobody knows whether it was applied"]);
  assert.equal(told.at(-1).at, null);
  assert.equal(lineOf(data.ops.get(61)).took, "never");
});

test("sessions and evidence are read by name", () => {
  const data = read(details);
  assert.deepEqual(data.sessions[0].nodes, ["j2", "j1"]);
  assert.equal(data.sessions[0].user, "u4");
  assert.deepEqual(data.states.get(17), [{ via: "j1", known: true, found: true, id: "s17", user: "u4", count: 5, ops: 5 }]);
  assert.deepEqual(data.evidence.get(60), [{ assertion: "write-ledger", class: "duplicate", text: "two rows", failed: true }]);
});

test("what a balancer made of a cookie is told, but at a login", () => {
  const names = ["", "lb1", "j2", "--NR", "--DN", "--VN"];
  const told = (type, term) => {
    const data = read({ ...details, names, ops: [[62, type, 3000, 0.1, 9, 1, 0, 200, 2, 1, 2, 17, 1, 0, 0, 0, 0]], tries: [], receipts: [], evidence: [], states: [], sessions: [], writes: [], requests: [[62, 1, 3001, 1, 2, 200, 0, 0, term, 0, 2, 5, 1]] });
    return storyOf(data.ops.get(62), data).find((l) => l.who === "lb1").what;
  };
  assert.equal(told(3, 3), "took attempt 1 to j2; status 200; it brought no cookie that the balancer knows, and the answer set one; after 5 ms");
  assert.equal(told(3, 4), "took attempt 1 to j2; status 200; its cookie names a server that is down; after 5 ms");
  assert.equal(told(3, 5), "took attempt 1 to j2; status 200; after 5 ms");
  assert.equal(told(1, 3), "took attempt 1 to j2; status 200; after 5 ms");
});
