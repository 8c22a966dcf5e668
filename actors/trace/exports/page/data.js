// What the page knows: columns of integers, unpacked once into typed arrays, and the texts of records.

const given = JSON.parse(document.getElementById("data").textContent);
const strings = given.strings;
const lanes = given.lanes.map(([name, kind, at], number) => ({ name, kind, at, number }));
const head = given.head;
const total = given.columns.index.length;
const NONE = [];
const SYSTEM = 1, HEARTBEAT = 2, PASSED_OVER = 4, EXITS = 8;

function summed(differences, into) {
  let value = 0;
  for (let at = 0; at < differences.length; at++) into[at] = value += differences[at];
  return into;
}

const index = summed(given.columns.index, new Int32Array(total));
const time = summed(given.columns.time, new Float64Array(total));
const actor = Int16Array.from(given.columns.actor);
const sender = Int16Array.from(given.columns.sender);
const kind = Int32Array.from(given.columns.kind);
const who = Int32Array.from(given.columns.who);
const what = Int32Array.from(given.columns.what);
const flags = Uint8Array.from(given.columns.flags);
const sort = Uint8Array.from(given.columns.sort);
const timer = Int32Array.from(given.columns.timer);
const cause = new Int32Array(total);  // a place; -1 none, -2 older than this trace
for (let at = 0; at < total; at++) {
  const back = given.columns.cause[at];
  cause[at] = back > 0 ? at - back : back < 0 ? -2 : -1;
}
given.columns = null;

// Direct effects, by their cause: one pass that counts, one that fills.
const effectsFrom = new Int32Array(total + 1);
for (let at = 0; at < total; at++) if (cause[at] >= 0) effectsFrom[cause[at] + 1]++;
for (let at = 0; at < total; at++) effectsFrom[at + 1] += effectsFrom[at];
const effectList = new Int32Array(effectsFrom[total]);
{
  const next = effectsFrom.slice();
  for (let at = 0; at < total; at++) if (cause[at] >= 0) effectList[next[cause[at]]++] = at;
}
const effectsOf = (at) => effectList.subarray(effectsFrom[at], effectsFrom[at + 1]);

const sortOf = (at) => given.sorts[sort[at]];
const restOf = (at) => given.rest[at] || NONE;  // pairs of strings: whose it is, and what
const isWhole = (at) => !["message", "tell", "verb", "lost", "disturbed"].includes(sortOf(at));  // no kind in front
const isFault = (at) => ["fault", "undone"].includes(sortOf(at));

function placeOf(wanted) {  // of a record's index; the last before it if that is not kept
  let low = 0, high = total - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (index[middle] <= wanted) low = middle; else high = middle - 1;
  }
  return low;
}

// Whose times and words these are is in Python; here they are only put on a line, as all texts do.
function seconds(micros) {
  const thousandths = Math.floor((micros + 500) / 1000);
  const whole = Math.floor(Math.abs(thousandths) / 1000);
  return `${thousandths < 0 ? "-" : ""}${whole}.${String(Math.abs(thousandths) % 1000).padStart(3, "0")}`;
}

function padded(text, width) {
  return text + " ".repeat(Math.max(0, width - [...text].length));
}

function line(micros, whose, said) {
  return `${seconds(micros).padStart(9)}  ${padded(whose, 24)}  ${said}`;
}

function linesOf(at, headToo) {
  const made = headToo ? [line(time[at], strings[who[at]], strings[what[at]])] : [];
  const rest = restOf(at);
  for (let each = 0; each < rest.length; each += 2) made.push(line(time[at], strings[rest[each]], strings[rest[each + 1]]));
  return made;
}

function threeDigits(value) {  // as %.3g prints
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(3)))));
  if (exponent < -4 || exponent >= 3) {
    const [digits, power] = value.toExponential(2).split("e");
    const short = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
    return `${short}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }
  const text = value.toPrecision(3);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function span(micros) {  // a length of time, for people
  const s = micros / 1e6;
  if (s >= 7200) return `${(s / 3600).toFixed(1)} h`;
  if (s >= 120) return `${(s / 60).toFixed(1)} min`;
  if (s < 0.1) return `${(micros / 1e3).toFixed(0)} ms`;
  return s >= 100 ? `${s.toFixed(0)} s` : s >= 10 ? `${s.toFixed(1)} s` : `${s.toFixed(2)} s`;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  return made;
}
