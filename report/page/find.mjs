// Search, order and pages of a list. All of it is pure.

// matches says whether each word of the search is in one of the texts.
export function matches(texts, search) {
  const all = texts.join("\n").toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

// ordered sorts by a column: "-ops" is the largest first. Equal ones stay in
// their order; without a column so do all.
export function ordered(rows, by) {
  if (!by) return rows;
  const down = by.startsWith("-");
  const key = by.replace(/^-/, "");
  const value = (r) => (Array.isArray(r[key]) ? r[key].length : r[key]);
  const compare = (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
  return rows.slice().sort((a, b) => (down ? compare(b, a) : compare(a, b)));
}

// paged is a page of the rows, from 1; one that is not there is the nearest.
export function paged(rows, page, size) {
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const n = Math.min(pages, Math.max(1, Math.trunc(page) || 1));
  return { page: n, pages, rows: rows.slice((n - 1) * size, n * size) };
}
