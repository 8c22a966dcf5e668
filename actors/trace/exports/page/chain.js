// Because of, and led to. The same chain, in the same words, as `trace.why(index)`.

const MEANWHILE_AT_MOST = 6;
const LIT_AT_MOST = 600;

function chainOf(at) {
  const places = [];
  let next = at;
  while (next >= 0) { places.push(next); next = cause[next]; }
  const older = next === -2;
  const last = new Map(), counts = new Map();  // of each timer in the chain: where it was first set, how often
  places.forEach((each, step) => {
    if (timer[each]) { last.set(timer[each], step); }
  });
  const links = [];
  for (let step = 0; step < places.length; step++) {
    const each = places[step];
    let link = { at: each, times: 1, setAt: -1 };
    if (timer[each]) {
      const to = last.get(timer[each]);
      let times = 0;
      for (let inner = step; inner <= to; inner++) if (timer[places[inner]] === timer[each]) times++;
      step = to;
      link = { at: each, times, setAt: step + 1 < places.length ? places[step + 1] : -1 };
    }
    if (!links.length || !(flags[each] & PASSED_OVER)) links.push(link);
  }
  return { links, older };
}

function cut(text, longest = 100) {
  const characters = [...text];
  return characters.length <= longest ? text : characters.slice(0, longest).join("") + "...";
}

function nth(number) {
  const teen = [11, 12, 13].includes(number % 100);
  return number + (teen ? "th" : { 1: "st", 2: "nd", 3: "rd" }[number % 10] || "th");
}

const mentionsOf = (at) => given.mentions.groups[given.mentions.column[at] || 0] || NONE;

function headOf(at) { return strings[what[at]]; }

function saidOf(link) {
  if (link.setAt < 0) return headOf(link.at);
  const passed = `${threeDigits((time[link.at] - time[link.setAt]) / 1e6)} s passed`;
  return cut(headOf(link.at)) + (link.times > 1 ? `, the ${nth(link.times)} in a row: ${passed}` : `: ${passed}`);
}

function underneath(link, about) {
  const told = [];
  const by = given.by[link.at];
  if (by && by[0] >= 0) {
    told.push({ at: by[0], how: "done", said: `by: ${cut(headOf(by[0]))} at ${seconds(time[by[0]])}` });
  }
  if (link.setAt >= 0 && time[link.at] > time[link.setAt]) {
    const found = meanwhile(link, about);
    for (const each of found.slice(0, MEANWHILE_AT_MOST)) told.push({ ...each, said: `meanwhile: ${each.said}` });
    const more = found.length - MEANWHILE_AT_MOST;
    if (more > 0) told.push({ at: -1, how: "", said: `meanwhile: and ${more} more` });
  }
  return told;
}

function meanwhile(link, about) {
  const done = new Set(), lost = new Map();
  const fired = actor[link.at];
  for (const at of happening(link.setAt + 1, link.at)) {
    if (isFault(at)) {
      const [, names] = given.about[at];
      if (!names.length || names.some((name) => about.has(strings[name]))) done.add(at);
      continue;
    }
    if (actor[at] !== fired && sender[at] !== fired) continue;
    const [by, why] = given.by[at];
    if (by >= 0 && isFault(by)) done.add(by);
    const to = fired === sender[at];
    const other = lanes[to ? actor[at] : sender[at]];
    const full = other.kind === "executor" ? "" : other.name;
    if (about.has(full)) {
      const said = `${strings[kind[at]]} ${to ? "to" : "from"} ${full} lost (${strings[why]})`;
      const before = lost.get(said);
      lost.set(said, { at: before ? before.at : at, count: (before ? before.count : 0) + 1 });
    }
  }
  const told = [...done].sort((a, b) => a - b).map(
    (at) => ({ at, how: "done", said: `${headOf(at)} at ${seconds(time[at])}` }));
  for (const [said, { at, count }] of lost) told.push({ at, how: "missed", said: `${count} ${said}` });
  return told;
}

// What hands did and what was lost: the only things that a silence is explained by.
const telling = Array.from({ length: total }, (_, at) => at).filter((at) => isFault(at) || sortOf(at) === "lost");
function* happening(from, to) {
  let low = 0, high = telling.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (telling[middle] < from) low = middle + 1; else high = middle;
  }
  for (; low < telling.length && telling[low] < to; low++) yield telling[low];
}

function whyOf(at) {
  const { links, older } = chainOf(at);
  const about = new Set(links.flatMap((link) => mentionsOf(link.at)));
  return { links: links.map((link) => ({ ...link, said: saidOf(link), under: underneath(link, about) })), older };
}

function whyText(at) {
  const { links, older } = whyOf(at);
  const made = [];
  links.forEach((link, step) => {
    made.push(line(time[link.at], strings[who[link.at]], cut(link.said, 140)));
    for (const each of link.under) made.push(" ".repeat(37) + each.said);
    if (step === 0 && links.length > 1) made.push("because of");
  });
  if (older) made.push(" ".repeat(11) + "(older than this trace)");
  return made.join("\n");
}

const lostBy = new Map();  // what was lost or held by this fault
for (const at in given.by) {
  const [by] = given.by[at];
  if (by >= 0) lostBy.set(by, [...(lostBy.get(by) || NONE), Number(at)]);
}
const doneBy = (at) => lostBy.get(at) || NONE;

function litBy(at) {  // its chain of causes, and what came of it
  const lit = new Set();
  for (let each = at; each >= 0; each = cause[each]) lit.add(each);
  const queue = [at];
  for (let next = 0; next < queue.length && lit.size < LIT_AT_MOST; next++) {
    for (const effect of effectsOf(queue[next])) { lit.add(effect); queue.push(effect); }
    for (const lost of doneBy(queue[next])) lit.add(lost);
  }
  return lit;
}
