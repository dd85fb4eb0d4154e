import assert from "node:assert/strict";
import { test } from "node:test";
import { placeIn, stacked, within } from "../charts.mjs";
import { depth, topOf } from "../heat.mjs";
import { stateAt, told } from "../lanes.mjs";
import { tints, tintsOf } from "../paint.mjs";
import { clock, millis, number, wallOf } from "../text.mjs";

test("stacked values end in the total, whatever is missing", () => {
  assert.deepEqual(stacked([[1, 2], [3, null], [0, 5]]), [[1, 2], [4, 2], [4, 7]]);
  assert.deepEqual(stacked([]), []);
});

test("a time is in one bucket, or in none", () => {
  const starts = [0, 0.1, 0.2];
  assert.deepEqual([0, 0.05, 0.1, 0.2999, 0.3, -1, null].map((t) => within(starts, 0.1, t)), [0, 0, 1, 2, null, null, null]);
  assert.equal(within([], 0.1, 0), null);
});

test("one slow operation shows beside thousands", () => {
  assert.equal(depth(0, 5000), 0);
  assert.ok(depth(1, 5000) > 0.2);
  assert.ok(depth(10, 5000) < depth(100, 5000));
  assert.equal(depth(5000, 5000), 1);
});

test("the heat map's scale holds all cells and the threshold", () => {
  const heat = { edges: [1, 10, 100, 1000, 10000], cells: [[0, 2, 1]] };
  assert.equal(topOf(heat, 50), 1000);
  assert.equal(topOf(heat, 5000), 10000);
  assert.equal(topOf({ ...heat, cells: [] }, 500), 1000);
});

test("a lane's state holds until the next", () => {
  const lane = { spans: [{ from: 1, to: 2, state: "UP" }, { from: 2, to: 3, state: "DOWN" }] };
  assert.deepEqual([0, 1, 1.9, 2, 3].map((t) => stateAt(lane, t)), ["", "UP", "UP", "DOWN", ""]);
});

test("numbers and times are short", () => {
  assert.equal(number(1.23456), "1.235");
  assert.equal(number(null), "–");
  assert.equal(clock(13526), "+13.526s");
  assert.deepEqual([0.44, 9.95, 120.4, 12345, -1].map(millis), ["0.4 ms", "9.9 ms", "120 ms", "12.3 s", "–"]);
});

test("names of faults that would meet go below each other, and up again when there is room", () => {
  const ends = [];
  assert.deepEqual([[0, 50], [40, 90], [45, 60], [55, 80], [95, 99]].map(([from, to]) => placeIn(ends, from, to)), [0, 1, 2, 0, 0]);
});

test("a state that has no room is its sign, and not the beginning of a word", () => {
  globalThis.window = { innerWidth: 1200 };
  assert.equal(told("✕ DOWN", "✕", 60), "✕ DOWN");
  assert.equal(told("✕ no answer", "✕", 66), "✕ no an…");
  assert.equal(told("✕ no answer", "✕", 40), "✕");
  assert.equal(told("✕ no answer", "✕", 5), "");
  assert.equal(told("UP", "", 12), "");
  delete globalThis.window;
});

test("a kind of error has the same colour in every report, and no two have one", () => {
  const names = ["timeout", "reset", "refused", "slow", "503", "502"];
  const own = (n) => tintsOf([n])[0];
  const together = tintsOf([...names, "others"]);
  assert.equal(new Set(together).size, names.length + 1);
  assert.equal(together.at(-1), tints.length - 1);
  assert.equal(together[0], own("timeout"));
  for (const n of names) assert.equal(tintsOf([n, ...names.filter((x) => x !== n)])[0], own(n));
  assert.deepEqual(tintsOf([]), []);
});

test("a time of the run is told by the wall clock, too, if that is known", () => {
  assert.equal(wallOf(Date.UTC(2026, 0, 2, 3, 4, 5, 600), 1.5), " (03:04:07.100 UTC)");
  assert.equal(wallOf(0, 1.5), "");
});
