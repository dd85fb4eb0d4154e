import assert from "node:assert/strict";
import { test } from "node:test";
import { close, follow, format, openOf, parse, rangeOf, timeOf, zoomed } from "../view.mjs";

test("a view is read as it was written", () => {
  for (const view of [{}, { at: "timeline" }, { op: "2560", t: "12-16.5" }, { write: "a&b=c #1", "sessions.q": "u1 j2", by: "balancer" }]) {
    assert.deepEqual(parse("#" + format(view)), view);
  }
  assert.equal(format({ at: "belief", op: "", t: undefined }), "belief");
});

test("a link opens one thing and keeps the rest", () => {
  const view = { at: "timeline", t: "1-2", session: "7", "writes.p": "3" };
  assert.deepEqual(follow(view, { op: "5" }), { at: "timeline", t: "1-2", op: "5", "writes.p": "3" });
  assert.deepEqual(follow(view, { at: "belief" }), { at: "belief", t: "1-2", "writes.p": "3" });
  assert.deepEqual(openOf(view), ["session", "7"]);
});

test("what is open can be closed, from wherever it was opened", () => {
  for (const kind of ["op", "session", "write"]) {
    assert.deepEqual(close({ [kind]: "5" }), {});
    assert.deepEqual(close({ at: "timeline", t: "1-2", [kind]: "5" }), { at: "timeline", t: "1-2" });
  }
});

test("a range is within the run, and junk is all of it", () => {
  const all = [0, 30];
  assert.deepEqual(rangeOf({ t: "12-16.5" }, all), [12, 16.5]);
  assert.deepEqual(rangeOf({ t: "20-99" }, all), [20, 30]);
  for (const t of [undefined, "", "x", "9-3", "-1-4", "40-50", "1e9-2"]) assert.deepEqual(rangeOf({ t }, all), all, String(t));
  assert.equal(timeOf(all, all), undefined);
  assert.equal(timeOf([1.23456, 2], all), "1.235-2");
});

test("zooming keeps the moment under the crosshair and stays within the run", () => {
  const all = [0, 100];
  assert.deepEqual(zoomed([0, 100], all, 0.5, 50), [25, 75]);
  assert.deepEqual(zoomed([0, 100], all, 0.5, 0), [0, 50]);
  assert.deepEqual(zoomed([90, 100], all, 2, 100), [80, 100]);
  assert.deepEqual(zoomed([10, 20], all, 1000, null), all);
});
