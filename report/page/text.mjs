// Words and numbers as the page shows them.

// number prints at most three digits after the point, without zeros at the end.
export const number = (n, digits = 3) => (n == null || Number.isNaN(n) ? "–" : String(+n.toFixed(digits)));

// seconds prints a time of the run, given in seconds.
export const seconds = (s) => (s == null ? "–" : number(s) + " s");

// clock prints a time of the run, given in milliseconds, as evidence does.
export const clock = (ms) => (ms < 0 ? "before the run" : "+" + (ms / 1000).toFixed(3) + "s");

// millis prints a length of time, given in milliseconds.
export const millis = (ms) => (ms == null || ms < 0 ? "–" : ms >= 10000 ? number(ms / 1000, 1) + " s" : number(ms, ms < 10 ? 1 : 0) + " ms");

// times is "1 attempt", "2 attempts".
export const times = (n, word) => n + " " + word + (n === 1 ? "" : "s");

// wallOf is what the wall clock showed at a time of the run, given what it
// showed at its beginning, in milliseconds since 1970; nothing if that is 0.
export const wallOf = (zero, s) => (zero ? " (" + new Date(zero + s * 1000).toISOString().slice(11, 23) + " UTC)" : "");
