// The detail: downwards, one row per event, and only those in view. One SVG of lanes and arrows, one list of rows.

const scroller = document.getElementById("scroller");
const tallBox = document.getElementById("tall");
const sticky = document.getElementById("sticky");
const picture = document.getElementById("lanes");
const list = document.getElementById("rows");
const namesBox = document.getElementById("names");
const ROW = 20, LANE = 62, LEAST = 22, RIBBON = 7, STAMP = 92, TEXT_MIN = 400;
const MOST_PX = 16000000;  // as far as browsers scroll
const LONG_ARROW = 40;  // rows; longer ones are looked for apart

let selected = -1, lit = null;
let lanesShown = [], laneX = new Float64Array(lanes.length), laneOpen = new Uint8Array(lanes.length), textX = STAMP;
let longArrows = [];
let drawing = 0, settling = 0;

// ------------------------------------------------------------------------------------------------------ lanes

const bandsOf = lanes.map(() => []);
for (const [lane, from, to, look] of given.bands) if (lane >= 0) bandsOf[lane].push([from, to === null ? total : to, look]);

function lanesOf(at) {
  return [actor[at], sender[at], ...(given.about[at] ? given.about[at][0] : NONE)];
}

function findLanes() {  // a lane exists if it occurs in any row shown
  const there = new Uint8Array(lanes.length + 1);
  for (const at of items) if (at >= 0) for (const lane of lanesOf(at)) there[lane < 0 ? lanes.length : lane] = 1;
  for (const lane of lanes) if (there[lane.number] && lane.at >= 0) there[lane.at] = 1;
  lanesShown = lanes.filter((lane) => there[lane.number]).map((lane) => lane.number);
  longArrows = [];
  for (let row = 0; row < items.length; row++) {
    const at = items[row];
    if (at < 0) continue;
    const from = sentAt(at);
    if (from >= 0 && row - rowOf[from] > LONG_ARROW) longArrows.push(at);
  }
}

function placeLanes() {  // those that do not occur in the window become ribbons, if not all fit
  const room = Math.max(180, scroller.clientWidth - STAMP - Math.max(TEXT_MIN, scroller.clientWidth * 0.42));
  const open = new Uint8Array(lanes.length);
  if (lanesShown.length * LANE <= room) {
    for (const lane of lanesShown) open[lane] = 1;
  } else {
    const [first, last] = rowsInView();
    for (let row = first; row <= last; row++) {
      if (items[row] < 0) continue;
      for (const lane of lanesOf(items[row])) if (lane >= 0) { open[lane] = 1; if (lanes[lane].at >= 0) open[lanes[lane].at] = 1; }
    }
    const [from, to] = inView();
    for (const [lane, start, end, look] of given.bands) {
      if (look === "tell" && lane >= 0 && start <= to && (end === null || end >= from)) open[lane] = 1;
    }
  }
  const opened = () => lanesShown.filter((lane) => open[lane]).length;
  if (opened() * LEAST > room) for (const lane of lanesShown) if (lanes[lane].at >= 0) open[lane] = 0;
  const wides = opened(), ribbons = lanesShown.length - wides;
  const most = ribbons || wides * LANE > room ? LANE : Math.min(96, room / wides);
  const each = Math.min(most, Math.max(RIBBON, (room - Math.min(ribbons * RIBBON, room / 3)) / Math.max(1, wides)));
  const narrow = Math.min(RIBBON, room / 3 / Math.max(1, ribbons));
  let x = STAMP;
  for (const lane of lanesShown) {
    const wide = open[lane] ? each : narrow;
    laneX[lane] = x + wide / 2;
    x += wide;
  }
  laneOpen = open;
  textX = x + 14;
  nameLanes(each);
}

function nameLanes(each) {
  namesBox.replaceChildren();
  const pen = bars.getContext("2d");
  pen.save();
  pen.font = "600 12px system-ui, sans-serif";
  const named = each < LEAST - 4 ? [] : lanesShown.filter((lane) => laneOpen[lane]);
  const level = named.every((lane) => pen.measureText(lanes[lane].name).width + 8 < each);
  namesBox.style.height = level ? "26px" : "66px";
  for (const lane of named) {
    const button = element("button", {
      type: "button", class: lanes[lane].kind, "aria-pressed": String(shown.actor === lane),
      title: `${lanes[lane].name}: show only what it says and hears`,
      onclick: () => change(() => { shown.actor = shown.actor === lane ? -1 : lane; }),
    }, lanes[lane].name);
    const width = Math.min(96, pen.measureText(lanes[lane].name).width + 6);
    if (level) {
      Object.assign(button.style, { left: `${laneX[lane] - width / 2 - 2}px`, top: "4px", width: `${width + 4}px`, textAlign: "center" });
    } else {
      Object.assign(button.style, { left: `${laneX[lane] + 4}px`, bottom: "2px", maxWidth: "74px", transform: "rotate(-55deg)" });
    }
    namesBox.append(button);
  }
  pen.restore();
}

// ------------------------------------------------------------------------------------------------------ scrolling

const viewHigh = () => scroller.clientHeight;
const rowsHigh = () => items.length * ROW + 40;
const stretch = () => Math.max(1, (rowsHigh() - viewHigh()) / Math.max(1, Math.min(MOST_PX, rowsHigh()) - viewHigh()));
const topOf = () => scroller.scrollTop * stretch();

function rowsInView() {
  const first = Math.max(0, Math.floor(topOf() / ROW));
  return [first, Math.max(first, Math.min(items.length - 1, Math.floor((topOf() + viewHigh()) / ROW)))];
}

function inView() {  // the first and the last record
  let [first, last] = rowsInView();
  while (first < last && items[first] < 0) first++;
  while (last > first && items[last] < 0) last--;
  const clamp = (at) => at === undefined || at < 0 ? 0 : at;
  return [clamp(items[first]), clamp(items[last])];
}

function scrollToRow(row, margin = 0) {
  scroller.scrollTop = Math.max(0, (row * ROW - margin) / stretch());
}

function reveal(at) {
  const y = rowOf[at] * ROW, top = topOf();
  if (y < top + 2 * ROW || y > top + viewHigh() - 4 * ROW) scrollToRow(rowOf[at], viewHigh() * 0.35);
}

function resizeDetail() {
  tallBox.style.height = `${Math.min(MOST_PX, rowsHigh())}px`;
  sticky.style.height = `${viewHigh()}px`;
  placeLanes();
  drawDetail();
}

scroller.addEventListener("scroll", () => {
  if (!drawing) drawing = requestAnimationFrame(() => { drawing = 0; drawDetail(); drawWindow(); });
  clearTimeout(settling);
  settling = setTimeout(settle, 140);
});

function settle() {  // lanes open and close only when nobody scrolls
  if (lanesShown.length * LANE > scroller.clientWidth * 0.58 - STAMP) { placeLanes(); drawDetail(); }
  markMoment();
}

// ------------------------------------------------------------------------------------------------------ drawing

function drawDetail() {
  const top = topOf();
  const [first, last] = rowsInView();
  const made = document.createDocumentFragment(), texts = document.createDocumentFragment();
  made.append(hatching());
  drawLanes(made, first, last, top);
  let stamped = "";
  for (let row = first; row <= last; row++) {
    const y = row * ROW - top, at = items[row];
    if (at < 0) { texts.append(gapRow(row, y, gaps[-1 - at])); made.append(tear(y)); stamped = ""; continue; }
    const stamp = seconds(time[at]);
    texts.append(textRow(row, y, at, stamp === stamped ? "" : stamp));
    stamped = stamp;
    drawArrow(made, at, y + ROW / 2, top);
  }
  for (const at of longArrows) {
    const row = rowOf[at], from = rowOf[sentAt(at)];
    if (from < first && row > last) drawArrow(made, at, row * ROW - top + ROW / 2, top);
  }
  for (let row = last + 1; row <= Math.min(items.length - 1, last + LONG_ARROW); row++) {  // come in from below
    if (items[row] >= 0 && sentAt(items[row]) >= 0 && rowOf[sentAt(items[row])] <= last) {
      drawArrow(made, items[row], row * ROW - top + ROW / 2, top);
    }
  }
  picture.replaceChildren(made);
  list.replaceChildren(texts);
}

function hatching() {
  const all = drawn("defs", {});
  const pattern = drawn("pattern", { id: "hatched", width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  pattern.append(drawn("rect", { width: 1.6, height: 4, fill: colour.away }));
  all.append(pattern);
  return all;
}

function drawLanes(made, first, last, top) {
  const edge = Math.min(viewHigh(), (last + 1) * ROW - top);
  const from = items[first] >= 0 ? items[first] : gaps[-1 - items[first]]?.from ?? 0;
  const lastItem = items[last];
  const to = lastItem === undefined ? 0 : lastItem >= 0 ? lastItem : gaps[-1 - lastItem].to;
  for (const lane of lanesShown) {
    const x = laneX[lane], open = laneOpen[lane];
    if (open) made.append(drawn("line", { class: "lane", "data-lane": lane, x1: x, x2: x, y1: 0, y2: edge }));
    const half = open ? 3.5 : 1.5;
    for (const [start, end, look] of bandsOf[lane]) {
      if (start > to || end < from) continue;
      const y = start <= from ? 0 : rowOf[start] * ROW - top + ROW / 2;
      const below = end >= total || end > to ? edge : Math.min(edge, rowOf[end] * ROW - top + ROW / 2);
      if (below - y < 1) continue;
      made.append(drawn("rect", { class: `band ${look}`, x: x - half, width: 2 * half, y, height: below - y }));
    }
  }
}

function tear(y) {
  const right = textX - 8;
  let path = `M ${STAMP - 6} ${y + 5}`, back = `M ${STAMP - 6} ${y + 15}`;
  for (let x = STAMP - 6; x + 12 <= right; x += 12) { path += " q 3 -3 6 0 t 6 0"; back += " q 3 -3 6 0 t 6 0"; }
  const made = drawn("g", {});
  made.append(drawn("rect", { x: STAMP - 6, width: right - STAMP + 6, y: y + 5, height: 10, fill: colour.page }));
  made.append(drawn("path", { class: "torn", d: path + back }));
  return made;
}

function gapRow(row, y, gap) {
  const made = element("div", { class: `row ${gap.before ? "before" : "gap"}`, role: "presentation" });
  made.style.top = `${y}px`;
  const said = element("span", { class: "said" });
  said.style.left = `${textX}px`;
  if (gap.before) {
    said.append(element("button", { type: "button", id: "unfold", onclick: () => change(() => { shown.unfolded = true; }, true) }, "+"));
    said.append(`before: ${span(time[gap.to] - time[0])} of setting up, ${gap.to} records folded`);
  } else {
    const hidden = gap.to - gap.from;
    const which = isFiltered() ? "hidden" : "routine";
    said.append(`${span(gap.micros)} pass${hidden ? ` · ${hidden} ${which} record${hidden > 1 ? "s" : ""}` : ""}`);
  }
  made.append(said);
  return made;
}

function textRow(row, y, at, stamp) {
  const sorted = sortOf(at);
  const classes = ["row", sorted];
  if (lit) classes.push(lit.has(at) ? "chain" : "dim");
  if (at === selected) classes.push("selected");
  const made = element("div", {
    class: classes.join(" "), role: "option", id: `row-${row}`, "data-at": at, "aria-selected": String(at === selected),
    "aria-setsize": items.length, "aria-posinset": row + 1,
    "aria-label": linesOf(at, headShown(at)).join("; "),
  }, element("time", {}, stamp));
  made.style.top = `${y}px`;
  const said = element("span", { class: "said", dir: "auto" });
  said.style.left = `${textX}px`;
  sayRow(said, at);
  made.append(said);
  return made;
}

function sayRow(said, at) {
  const badges = given.badges[at] || NONE, rest = restOf(at);
  if (headShown(at)) {
    const words = headOf(at), space = words.indexOf(" ");
    const first = isWhole(at) || space < 0 ? words : words.slice(0, space);
    said.append(element("b", {}, ...marked(first)), ...marked(words.slice(first.length)));
  }
  for (let each = 0; each < rest.length; each += 2) {
    const whose = strings[rest[each]] === lanesName(actor[at]) ? "" : `${strings[rest[each]]} `;
    if (said.childNodes.length) said.append(" · ");
    const words = strings[rest[each + 1]];
    const badge = badges.find((name) => words === `SIG${name}`);
    if (badge) said.append(element("span", { class: `badge ${badge.toLowerCase()}`, title: words }, badge));
    else said.append(...marked(whose + words));
  }
  const sent = sentAt(at);
  if (sent >= 0 && time[at] - time[sent] >= 1e3) said.append(` · sent ${span(time[at] - time[sent])} before`);
}

function lanesName(lane) {
  if (lane < 0) return "";
  const { name, at } = lanes[lane];
  return at >= 0 ? `${lanes[at].name}/${name}` : name;
}

function marked(text) {  // with what is searched for
  if (!wanted) return text ? [text] : [];
  const parts = [], low = text.toLowerCase();
  let from = 0, found = low.indexOf(wanted);
  while (found >= 0 && low.length === text.length) {
    parts.push(text.slice(from, found), element("mark", {}, text.slice(found, found + wanted.length)));
    from = found + wanted.length;
    found = low.indexOf(wanted, from);
  }
  parts.push(text.slice(from));
  return parts.filter((part) => part !== "");
}

// ------------------------------------------------------------------------------------------------------ arrows

// The record whose effect this message is, if that was at another time: -1 if it arrived at once.
function sentAt(at) {
  if (sender[at] < 0 || sender[at] === actor[at]) return -1;
  if (!["message", "tell", "verb", "lost", "disturbed"].includes(sortOf(at))) return -1;
  let from = cause[at];
  while (from >= 0 && sortOf(from) === "disturbed") from = cause[from];
  return from >= 0 && time[from] < time[at] ? from : -1;
}

function drawArrow(made, at, y, top) {
  const sorted = sortOf(at), faded = lit && !lit.has(at) ? " dim" : "";
  const given_about = given.about[at];
  if (given_about) {
    const hit = given_about[0].filter((lane) => laneOpen[lane]);
    const hollow = sorted === "undone" ? " hollow" : "";
    const places = hit.length ? hit.map((lane) => laneX[lane]) : [STAMP + 4];
    for (const x of places) made.append(drawn("path", { class: `diamond${hollow}${faded}`, d: `M ${x} ${y - 6} l 6 6 l -6 6 l -6 -6 z` }));
    return;
  }
  const to = actor[at], from = sender[at];
  if (to < 0) return;
  const x2 = laneX[to];
  if (from < 0 || from === to) {
    drawAlone(made, at, sorted, x2, y, faded);
    return;
  }
  const x1 = laneX[from], sent = sentAt(at);
  const y1 = sent >= 0 && rowOf[sent] >= 0 && isRow(sent) ? rowOf[sent] * ROW - top + ROW / 2 : y;
  const way = Math.sign(x2 - x1) || 1;
  if (sorted === "lost") {
    const short = Math.min(22, Math.abs(x2 - x1) / 2), end = x2 - way * short;
    made.append(drawn("path", { class: `arrow lost${faded}`, "data-from": from, "data-to": to, "data-at": at, d: `M ${x1} ${y1} L ${end} ${y}` }));
    made.append(drawn("path", { class: `cross${faded}`, d: crossAt(end, y) }));
    return;
  }
  if (sorted === "link") {
    made.append(drawn("path", { class: `arrow link${faded}`, "data-from": from, "data-to": to, "data-at": at, d: `M ${x1} ${y} L ${x2} ${y}` }));
    made.append(drawn("path", { class: `cross small${faded}`, d: crossAt(x2, y) }));
    return;
  }
  if (sorted === "disturbed") {  // it stops short, before a bar
    made.append(drawn("path", { class: `arrow disturbed${faded}`, "data-from": from, "data-to": to, "data-at": at, d: `M ${x1} ${y} L ${x2 - way * 8} ${y}` }));
    made.append(drawn("path", { class: `bar${faded}`, d: `M ${x2 - way * 8} ${y - 5} v 10` }));
    return;
  }
  const dot = `M ${x1 - 2} ${y1} a 2 2 0 1 0 4 0 a 2 2 0 1 0 -4 0`;
  const angle = Math.atan2(y - y1, x2 - x1), point = [7, 3.5];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const back = (side) => `${x2 - point[0] * cos - side * point[1] * sin} ${y - point[0] * sin + side * point[1] * cos}`;
  made.append(drawn("path", {
    class: `arrow ${sorted}${faded}`, "data-from": from, "data-to": to, "data-at": at,
    d: `${dot} M ${x1} ${y1} L ${x2} ${y} M ${x2} ${y} L ${back(1)} L ${back(-1)} z`,
  }));
  if (sorted === "verb") made.append(drawn("path", { class: `triangle${faded}`, d: `M ${x1 - 5} ${y1 - 6} l 10 6 l -10 6 z` }));
  drawEnds(made, at, y);
}

const isRow = (at) => items[rowOf[at]] === at;
const crossAt = (x, y) => `M ${x - 4} ${y - 4} l 8 8 M ${x + 4} ${y - 4} l -8 8`;

function drawAlone(made, at, sorted, x, y, faded) {  // what happens at one place
  if (sorted === "work") made.append(drawn("rect", { class: `square${faded}`, x: x - 3.5, y: y - 3.5, width: 7, height: 7 }));
  else if (sorted === "signal") made.append(drawn("path", { class: `diamond${faded}`, d: `M ${x} ${y - 6} l 6 6 l -6 6 l -6 -6 z` }));
  else if (sorted === "failed") made.append(drawn("path", { class: `cross${faded}`, d: crossAt(x, y) }));
  else if (sorted !== "exit") made.append(drawn("circle", { class: `arrow${faded}`, cx: x, cy: y, r: 2 }));
  drawEnds(made, at, y);
}

function drawEnds(made, at, y) {  // a short bar under the lane of who exits
  const x = laneX[actor[at]];
  if (flags[at] & EXITS) made.append(drawn("line", { class: "end", x1: x - 6, x2: x + 6, y1: y + 6, y2: y + 6 }));
}
