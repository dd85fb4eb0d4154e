import { make } from "./dom.mjs";
import { matches, ordered, paged } from "./find.mjs";
import { times } from "./text.mjs";

const pageSize = 20;

// listing builds a table with a search, a choice of states, an order and
// pages. The view holds what was chosen, under the list's name; change is
// told what to put there. Columns are {key, head, cell, number}. It returns
// how to draw it for a view.
export function listing(at, name, rows, columns, o, change) {
  const states = [...new Set(rows.map((r) => r.state))];
  const search = make("input", { type: "search", id: name + "-q", autocomplete: "off", spellcheck: "false", placeholder: o.placeholder });
  const choice = make("select", { id: name + "-state" }, make("option", { value: "" }, "all"), ...states.map((s) => make("option", { value: s }, s)));
  const count = make("span", { class: "count", role: "status" });
  const heads = columns.map((c) => {
    const button = make("button", { type: "button", class: "sort" });
    return { column: c, button, cell: make("th", { scope: "col", class: c.number ? "n" : null }, button) };
  });
  const head = make("tr", {}, ...heads.map((h) => h.cell));
  const body = make("tbody", {});
  const back = make("button", { type: "button" }, "‹ before");
  const on = make("button", { type: "button" }, "next ›");
  const where = make("span", { class: "count" });
  at.replaceChildren(
    make("div", { class: "controls" }, make("label", { for: name + "-q" }, "Search "), search, make("label", { for: name + "-state" }, o.state + " "), choice, count),
    make("div", { class: "scroll" }, make("table", {}, make("caption", { class: "quiet" }, o.caption), make("thead", {}, head), body)),
    make("div", { class: "controls" }, back, where, on),
  );
  search.addEventListener("input", () => change({ [name + ".q"]: search.value, [name + ".p"]: "" }));
  choice.addEventListener("change", () => change({ [name + ".s"]: choice.value, [name + ".p"]: "" }));
  const texts = new Map();
  const textOf = (r) => {
    if (!texts.has(r)) texts.set(r, o.texts(r));
    return texts.get(r);
  };
  return (view) => {
    const q = view[name + ".q"] || "";
    const state = view[name + ".s"] || "";
    const by = view[name + ".o"] || "";
    if (search.value !== q) search.value = q;
    choice.value = states.includes(state) ? state : "";
    const found = ordered(rows.filter((r) => (state === "" || r.state === state) && matches(textOf(r), q)), by);
    const p = paged(found, +view[name + ".p"] || 1, pageSize);
    count.textContent = found.length === rows.length ? times(rows.length, o.word) + o.rest : found.length + " of " + times(rows.length, o.word);
    where.textContent = `page ${p.page} of ${p.pages}`;
    back.disabled = p.page <= 1;
    on.disabled = p.page >= p.pages;
    back.onclick = () => change({ [name + ".p"]: p.page - 1 });
    on.onclick = () => change({ [name + ".p"]: p.page + 1 });
    for (const { column: c, button, cell } of heads) { // the same buttons, so that the focus stays
      const sorted = by === c.key ? "ascending" : by === "-" + c.key ? "descending" : "";
      button.textContent = c.head + (sorted === "ascending" ? " ▲" : sorted ? " ▼" : "");
      button.onclick = () => change({ [name + ".o"]: sorted === "descending" ? c.key : sorted ? "" : "-" + c.key, [name + ".p"]: "" });
      if (sorted) cell.setAttribute("aria-sort", sorted);
      else cell.removeAttribute("aria-sort");
    }
    body.replaceChildren(...p.rows.map((r) => make("tr", {}, ...columns.map((c) => make("td", { class: c.number ? "n" : null }, c.cell(r))))));
    if (p.rows.length === 0) body.append(make("tr", {}, make("td", { colspan: columns.length }, "Nothing matches.")));
  };
}
