import assert from "node:assert/strict";
import { test } from "node:test";
import { matches, ordered, paged } from "../find.mjs";

test("each word of a search must be found", () => {
  const texts = ["17", "u4", "j2", "lost update"];
  for (const q of ["", "J2", "lost u4", " 17  update "]) assert.ok(matches(texts, q), q);
  for (const q of ["j3", "lost j3", "u4j2"]) assert.ok(!matches(texts, q), q);
});

test("an order is stable, by numbers, words and lengths", () => {
  const rows = [{ id: 1, n: 10, l: [1] }, { id: 2, n: 9, l: [] }, { id: 3, n: 10, l: [1, 2] }];
  const ids = (by) => ordered(rows, by).map((r) => r.id);
  assert.deepEqual(ids(""), [1, 2, 3]);
  assert.deepEqual(ids("n"), [2, 1, 3]);
  assert.deepEqual(ids("-n"), [1, 3, 2]);
  assert.deepEqual(ids("-l"), [3, 1, 2]);
});

test("a page that is not there is the nearest", () => {
  const rows = [1, 2, 3, 4, 5];
  assert.deepEqual(paged(rows, 2, 2), { page: 2, pages: 3, rows: [3, 4] });
  assert.deepEqual(paged(rows, 9, 2).rows, [5]);
  assert.deepEqual(paged(rows, -3, 2).rows, [1, 2]);
  assert.deepEqual(paged(rows, NaN, 2).page, 1);
  assert.deepEqual(paged([], 1, 2), { page: 1, pages: 1, rows: [] });
});
