// Which rows there are, and where a record lies from left to right.

const GAP_S = 1;  // a silence longer than this is a row of its own
const SILENCE_S = 8;  // and longer than this is tinted in the overview

const shown = {
  timers: false, heartbeats: false, unfolded: given.fold < 4, linear: false,
  story: "", actor: -1, kind: -1, hits: null,
};
let items = new Int32Array(0);  // a row each: a record's place, or below 0 a gap (-1 - its number)
let gaps = [];
let rowOf = new Int32Array(total);  // of each record: its row, or the next one's

const stories = new Map();
function storyOf(id) {
  if (!stories.has(id)) stories.set(id, new Set(summed(given.stories[id], new Int32Array(given.stories[id].length))));
  return stories.get(id);
}
const storiesOf = (at) => Object.keys(given.stories).filter((id) => storyOf(id).has(at));

// The first line of a record may be a timer or a heartbeat, and hidden; what came of it never is.
const headShown = (at) => {
  const wanted = flags[at] & 3;
  return shown.story !== "" || !wanted || (wanted === SYSTEM ? shown.timers : shown.heartbeats);
};

function isShown(at) {
  if (!headShown(at) && !given.rest[at]) return false;
  if (shown.story && !storyOf(shown.story).has(at)) return false;
  if (shown.actor >= 0 && actor[at] !== shown.actor && sender[at] !== shown.actor
    && !(given.about[at] && given.about[at][0].includes(shown.actor))) return false;
  if (shown.kind >= 0 && kind[at] !== shown.kind) return false;
  return !shown.hits || shown.hits.has(at);
}

const isFiltered = () => Boolean(shown.story || shown.actor >= 0 || shown.kind >= 0 || shown.hits);

function arrange() {  // anew, after what is shown has changed
  const made = new Int32Array(2 * total + 2);
  const from = shown.unfolded || isFiltered() ? 0 : given.fold;
  let count = 0, last = -1, passed = from;
  gaps = [];
  if (from > 0) {
    made[count++] = -1;
    gaps.push({ from: 0, to: from, before: true });
  }
  for (let at = from; at < total; at++) {
    if (!isShown(at)) continue;
    if (last >= 0 && time[at] - time[last] > GAP_S * 1e6) {
      made[count++] = -1 - gaps.length;
      gaps.push({ from: last + 1, to: at, micros: time[at] - time[last] });
    }
    made[count++] = at;
    last = at;
  }
  items = made.slice(0, count);
  rowOf = new Int32Array(total);
  let row = count - 1;
  for (let at = total - 1; at >= 0; at--) {
    while (row >= 0 && (items[row] < 0 ? gaps[-1 - items[row]].from : items[row]) > at) row--;
    rowOf[at] = items[row] === at ? row : Math.min(count - 1, row + 1);
  }
  if (from > 0) rowOf.fill(0, 0, from);
  findLanes();
}

// ------------------------------------------------------------------------------------- from left to right

const STUB = 0.025;  // of the width, for what is folded
let across = new Float64Array(total);  // of each record, from 0 to 1
let instants = [];  // { at, to, count, x, gap (micros since the one before), said }

function layAcross() {
  instants = [];
  for (let at = given.fold; at < total; at++) {
    if ((flags[at] & 3) && !given.rest[at]) continue;
    const last = instants[instants.length - 1];
    if (last && time[at] === time[last.at]) { last.count++; last.to = at; } else {
      instants.push({ at, to: at, count: 1, x: 0, wide: 0, gap: last ? time[at] - time[last.at] : 0 });
    }
  }
  const stub = given.fold ? STUB : 0;
  across = new Float64Array(total);
  if (!instants.length) { across.fill(stub); return; }
  const silence = (micros) => Math.log2(1 + micros / 0.25e6);
  const first = time[given.fold], last = time[total - 1];
  let sum = 0;
  for (const each of instants) {
    sum += silence(each.gap);
    each.x = sum;
    sum += each.wide = Math.sqrt(each.count);
  }
  const tail = silence(last - time[instants[instants.length - 1].at]);
  const whole = sum + tail || 1;
  const scaled = (x) => stub + (1 - stub) * x / whole;
  const even = (micros) => stub + (1 - stub) * (last > first ? (micros - first) / (last - first) : 0);
  for (let at = 0; at < given.fold; at++) across[at] = stub * (at + 1) / (given.fold + 1);
  let next = 0;
  for (let at = given.fold; at < total; at++) {
    while (next + 1 < instants.length && time[instants[next + 1].at] <= time[at]) next++;
    const now = instants[next];
    if (shown.linear) across[at] = even(time[at]);
    else if (time[at] < time[now.at]) across[at] = stub;
    else if (time[at] === time[now.at]) {
      across[at] = scaled(now.x + now.wide * Math.max(0, Math.min(1, (at - now.at) / Math.max(1, now.to - now.at))));
    } else across[at] = scaled(Math.min(whole, now.x + now.wide + silence(time[at] - time[now.at])));
  }
  for (let at = 1; at < total; at++) if (across[at] < across[at - 1]) across[at] = across[at - 1];
}

function placeAcross(x) {  // the last record at or before there
  let low = 0, high = total - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (across[middle] <= x) low = middle; else high = middle - 1;
  }
  return low;
}
