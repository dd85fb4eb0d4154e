import { clock, millis, times } from "./text.mjs";

// storyOf tells an operation in the order of time: who did what, from the
// schedule's time to the rows of the database. It is pure. Each line is
// {at, within, who, what, tone}: at in milliseconds, null where the record has
// none, give or take within, for what was told by another clock than the
// client's. Nothing is put before the schedule.
export function storyOf(op, data) {
  const lines = [{ at: op.due, who: "schedule", what: "due" + (op.bound ? "; its session is bound to " + op.bound : ""), tone: "" }];
  if (op.sent < 0) lines.push({ at: op.due, who: "client", what: "nothing was written to the wire", tone: "bad" });
  else lines.push({ at: op.due + op.sent, who: "client", what: sentOf(op), tone: op.late > 5 ? "warn" : "" });
  (data.tries.get(op.id) || []).forEach((t, i) => lines.push({
    at: t.end, who: "client", what: "attempt " + (i + 1) + " ended: " + endOf(t) + "; tried again", tone: "warn",
  }));
  for (const r of data.requests.get(op.id) || []) {
    lines.push({ at: r.at, within: r.within, who: r.balancer, what: requestOf(r, op), tone: r.retries > 0 || broken(r.term) ? "warn" : "" });
  }
  for (const r of data.receipts.get(op.id) || []) {
    lines.push({
      at: r.at, within: r.within, who: r.node, what: "attempt " + r.attempt + (r.commit ? " committed" + (r.order ? " as order " + r.order : "") : " arrived"), tone: "",
    });
  }
  if (op.took < 0) lines.push({ at: null, who: "client", what: "never ended: nobody knows whether it was applied", tone: "bad" });
  else lines.push({ at: op.due + op.took, who: "client", what: endOf(op) + (op.value ? "; " + (op.type === "order" ? "order " : "count ") + op.value : "") + ", " + millis(op.took) + " after it was due", tone: op.bad ? "bad" : "good" });
  const since = (l) => Math.max(l.at, op.due + Math.max(0, l.within ? op.sent : 0));
  lines.sort((a, b) => (a.at == null) - (b.at == null) || since(a) - since(b));
  const write = op.key && data.writes.find((w) => w.key === op.key);
  for (const row of (write && write.rows) || []) {
    lines.push({ at: null, who: "database", what: "order " + row.order + ", of attempt " + row.op + "." + row.attempt + " on " + row.node + ", as read after the load", tone: write.rows.length > 1 ? "bad" : "" });
  }
  return lines;
}

const sentOf = (op) => "sent" + (op.sent > 0.5 ? " " + millis(op.sent) + " after it was due" : "") + (op.late > 0.5 ? ", " + millis(op.late) + " of that by the generator" : "");

const words = { ok: "ok", fail: "failed, certainly not applied", info: "nobody knows whether it was applied" };

function endOf(t) {
  return [t.error || (t.outcome === "ok" ? "" : "no answer"), words[t.outcome] || t.outcome, t.status ? "status " + t.status : "", t.node ? "by " + t.node : t.balancer ? "from " + t.balancer : ""]
    .filter(Boolean).join(", ");
}

const broken = (term) => term.length > 1 && term.slice(0, 2) !== "--";

// What a balancer made of a request's cookie: HAProxy's configuration manual (3.0), 8.5.
const cookies = { N: "it brought no cookie that the balancer knows", I: "its cookie names a server that is not there", D: "its cookie names a server that is down" };

function cookieOf(term, op) {
  const said = op.type === "login" ? "" : cookies[term[2]];
  return said ? said + ("IRU".includes(term[3] || "-") ? ", and the answer set one" : "") : "";
}

function requestOf(r, op) {
  return [
    "took attempt " + r.attempt + (r.server ? " to " + r.server : ", to no server"),
    r.retries > 0 ? "sent again " + times(r.retries, "time") : "",
    r.redispatched ? "to another server than the first" : "",
    r.status > 0 ? "status " + r.status : "no status", broken(r.term) ? "termination " + r.term : "", cookieOf(r.term, op), "after " + millis(r.took),
  ].filter(Boolean).join("; ");
}

// lineOf is a line of a session's list of operations.
export function lineOf(op) {
  return {
    id: op.id, at: clock(op.due), type: op.type, outcome: endOf(op), took: op.took < 0 ? "never" : millis(op.took), node: op.node || "–",
    balancer: op.balancer || "–", attempts: op.attempts, value: op.value || "", bad: op.bad,
  };
}
