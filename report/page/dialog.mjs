import { byId, make } from "./dom.mjs";
import { paged } from "./find.mjs";
import { lineOf, storyOf } from "./story.mjs";
import { clock, millis, times } from "./text.mjs";

// linkTo is a link that opens something: an operation, a session or a write.
export const linkTo = (kind, name, text) => make("a", { href: "#" + new URLSearchParams([[kind, name]]) }, String(text ?? name));

const perPage = 50;

// content tells what is open: a title, and what is under it.
export function content(kind, name, data, totals) {
  if (kind === "op") return ofOp(+name, data, totals);
  return kind === "session" ? ofSession(+name, data) : ofWrite(name, data);
}

const table = (caption, heads, rows) => make("div", { class: "scroll" }, make("table", {},
  make("caption", {}, caption), make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)))), make("tbody", {}, ...rows)));

const line = (...cells) => make("tr", {}, ...cells.map((c) => make("td", {}, c)));

const inJournal = (filter) => make("p", { class: "hint" }, "All of it, in the run's folder: ", make("code", {}, "jq -c '" + filter + "' journal.jsonl"));

function evidenceOf(id, data) {
  return (data.evidence.get(id) || []).map((e) => make("p", { class: "finding" + (e.failed ? " bad" : "") }, make("b", {}, e.assertion + (e.class ? ", " + e.class : "") + ": "), e.text));
}

function ofOp(id, data, totals) {
  const op = data.ops.get(id);
  const filter = inJournal(`select(.op.id == ${id} or (.data | objects | .op) == ${id})`);
  if (!op) {
    return { title: "Operation " + id, nodes: [...evidenceOf(id, data), make("p", {}, `The page holds ${data.ops.size} of ${times(totals.ops, "operation")}, and this is none of them.`), filter] };
  }
  const of = make("p", {});
  if (op.session) of.append("Session ", linkTo("session", op.session), ". ");
  if (op.key) of.append("Key ", linkTo("write", op.key), ". ");
  if (op.version) of.append("Answered by version " + op.version + ". ");
  of.append(times(op.attempts, "attempt") + " by the client. ");
  const around = [Math.max(0, op.due / 1000 - 1), (op.due + Math.max(0, op.took)) / 1000 + 1];
  of.append(make("a", { href: "#" + new URLSearchParams({ at: "timeline", t: around.map((t) => t.toFixed(3)).join("-") }) }, "The timeline around it"), ".");
  const told = storyOf(op, data);
  const rows = told.map((l) => make("tr", { class: l.tone || null },
    make("td", { class: "n" }, l.at == null ? "" : clock(l.at) + (l.within >= 0.5 ? " ± " + millis(l.within) : "")), make("td", {}, l.who), make("td", {}, (l.tone === "bad" ? "✕ " : l.tone === "warn" ? "△ " : "") + l.what)));
  const nodes = [...evidenceOf(id, data), of, table("What happened, in the order of time", ["at", "who", "what"], rows)];
  if (!data.requests.has(id) && !data.receipts.has(id)) nodes.push(make("p", { class: "hint" }, "What balancers and nodes logged of it is not in this page."));
  return { title: `Operation ${id}: ${op.type}, ${op.outcome}${op.error ? " (" + op.error + ")" : op.bad ? ", too slow" : ""}`, nodes: [...nodes, filter] };
}

function ofSession(id, data) {
  const s = data.sessions.find((x) => x.id === id);
  const ops = [...data.ops.values()].filter((o) => o.session === id);
  const nodes = [];
  if (s) {
    nodes.push(make("p", {}, `${s.user ? "User " + s.user + ". " : ""}${times(s.ops, "operation")}, ${s.bad} bad. Answered by ${s.nodes.join(", then ") || "no node"}.${s.victim ? " It was bound to a victim when the fault took effect." : ""} Judged: ${s.state}.`));
  }
  for (const o of ops) nodes.push(...evidenceOf(o.id, data));
  if (s && ops.length < s.ops) nodes.push(make("p", { class: "hint" }, `The page holds ${ops.length} of them.`));
  const list = make("div", {});
  const back = make("button", { type: "button" }, "‹ before");
  const where = make("span", { class: "count", role: "status" });
  const on = make("button", { type: "button" }, "next ›");
  const holder = make("div", {}, list, ops.length > perPage ? make("div", { class: "controls" }, back, where, on) : null);
  const show = (n) => {
    const p = paged(ops, n, perPage);
    const rows = p.rows.map((o) => {
      const l = lineOf(o);
      return make("tr", { class: l.bad ? "bad" : null }, ...[linkTo("op", l.id), l.at, l.type, (l.bad ? "✕ " : "") + l.outcome, l.took, l.node, l.balancer, String(l.attempts), String(l.value)].map((c) => make("td", {}, c)));
    });
    where.textContent = `page ${p.page} of ${p.pages}`;
    back.disabled = p.page === 1;
    on.disabled = p.page === p.pages;
    back.onclick = () => show(p.page - 1);
    on.onclick = () => show(p.page + 1);
    list.replaceChildren(table("Its operations, in order", ["operation", "due", "type", "outcome", "took", "node", "balancer", "attempts", "value"], rows));
  };
  show(1);
  const states = data.states.get(id) || [];
  if (states.length) {
    holder.append(table("As it was read after the load", ["through", "found", "id", "user", "count", "operations in its list"],
      states.map((x) => line(x.via, x.known ? (x.found ? "yes" : "✕ no") : "no answer", x.id || "–", x.user || "–", String(x.count), String(x.ops)))));
  }
  return { title: "Session " + id, nodes: [...nodes, holder, inJournal(`select(.op.session == ${id} or (.data | objects | .session) == ${id})`)] };
}

function ofWrite(key, data) {
  const w = data.writes.find((x) => x.key === key);
  const filter = inJournal(`select(.op.key == ${JSON.stringify(key)} or (.data | objects | .key) == ${JSON.stringify(key)})`.replace(/'/g, "'\\''"));
  if (!w) return { title: "Write " + key, nodes: [make("p", {}, "The page does not hold this write."), filter] };
  const rows = w.rows.map((r) => line(String(r.order), linkTo("op", r.op, r.op + "." + r.attempt), r.node || "–"));
  const nodes = [make("p", {}, `${w.state[0].toUpperCase() + w.state.slice(1)}: ${times(w.ops.length, "operation")} with this key, ${times(w.attempts, "attempt")} by clients, ${times(w.rows.length, "row")} in the ledger.`)];
  nodes.push(w.rows.length ? table("Its rows in the database, read after the load", ["order", "of attempt", "applied by"], rows) : make("p", {}, "The database has no row of it."));
  for (const id of w.ops) {
    const told = ofOp(id, data, { ops: data.ops.size });
    nodes.push(make("h3", {}, linkTo("op", id, told.title)), ...told.nodes.slice(0, -1));
  }
  return { title: "Write " + key, nodes: [...nodes, filter] };
}

// showing opens the page's dialog for what is open in a view, or closes it;
// closed is told when the reader closes it.
export function showing(data, totals, closed) {
  const box = byId("story");
  let shown = "";
  box.addEventListener("close", () => {
    if (shown !== "") {
      shown = "";
      closed();
    }
  });
  byId("story-close").onclick = () => box.close();
  box.addEventListener("click", (e) => { if (e.target === box) box.close(); });
  return (open) => {
    const key = open ? open.join(" ") : "";
    if (key === shown) return;
    shown = key;
    if (!open) {
      if (box.open) box.close();
      return;
    }
    const { title, nodes } = content(open[0], open[1], data, totals);
    byId("story-title").textContent = title;
    byId("story-body").replaceChildren(...nodes);
    if (!box.open) box.showModal();
    byId("story-body").scrollTop = 0;
    byId("story-title").focus();
  };
}
