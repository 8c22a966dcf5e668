// The overview: time from left to right, a row each for leader, drains, agents and their tasks. Two layers of canvas:
// the bars, and above them the window and the cursor.

const bars = document.getElementById("bars");
const glass = document.getElementById("window");
const LEFT = 118, RIGHT = 16, AXIS = 34;
const colour = {};
let wide = 0, tall = 0, rowsDrawn = [], left = LEFT;

function readColours() {
  // A probe resolves light-dark(), which a property by itself does not.
  const probe = element("i");
  document.body.append(probe);
  for (const name of ["page", "panel", "line", "faint", "ink", "ink-2", "ink-3", "message", "tell", "up", "leaving",
    "on-leaving", "rest", "away", "bad", "on-bad", "fault", "selected"]) {
    probe.style.color = `var(--${name})`;
    colour[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}

function sized(canvas) {
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(wide * scale) || canvas.height !== Math.round(tall * scale)) {
    canvas.width = Math.round(wide * scale);
    canvas.height = Math.round(tall * scale);
    canvas.style.height = `${tall}px`;
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, wide, tall);
  return pen;
}

const xOf = (at) => left + across[at] * (wide - left - RIGHT);
const endOf = (end) => end === null ? wide - RIGHT : xOf(end);

// As high as fits: first tasks go, then rows become thin, then agents that are simply up.
function chooseRows() {
  const room = Math.max(150, Math.min(330, window.innerHeight * 0.32)) - AXIS - 8;
  const heights = { leader: 16, drain: 16, reclaim: 16, agent: 16, task: 16 };
  const high = (rows) => rows.reduce((sum, row) => sum + heights[row.kind], 0);
  let rows = given.bars, left_out = 0;
  if (high(rows) > room) rows = rows.filter((row) => row.kind !== "task");
  if (high(rows) > room) {
    heights.agent = Math.max(9, Math.floor((room - 32) / rows.length));
    if (high(rows) > room) {
      const kept = rows.filter((row) => row.kind !== "agent" || row.bars.some((bar) => !["up", "faint"].includes(bar[2])));
      left_out = rows.length - kept.length;
      rows = kept;
    }
    const many = rows.filter((row) => row.kind === "agent").length;
    if (high(rows) > room) heights.agent = Math.max(3, (room - 32 - (left_out ? 16 : 0)) / many);
  }
  let y = AXIS;
  rowsDrawn = rows.map((row) => {
    const drawnRow = { row, y, height: heights[row.kind] };
    y += heights[row.kind];
    return drawnRow;
  });
  if (left_out) {
    rowsDrawn.push({ row: { name: `and ${left_out} more`, kind: "note", said: "up whenever a leader knew of them", bars: [], marks: [] }, y, height: 16 });
    y += 16;
  }
  tall = Math.ceil(y + 8);
}

const written = [];  // the boxes of all labels, so that it can be tested that none touch
function write(pen, text, x, y, high) {
  pen.fillText(text, x, y);
  const width = pen.measureText(text).width;
  const from = { left: x, center: x - width / 2, right: x - width }[pen.textAlign] ?? x;
  written.push([from, y - high / 2, width, high, text]);
}

function drawOverview() {
  written.length = 0;
  wide = document.getElementById("overview").clientWidth;
  left = wide < 700 ? 80 : LEFT;
  chooseRows();
  const pen = sized(bars);
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  drawSilences(pen);
  drawAxis(pen);
  for (const { row, y, height } of rowsDrawn) {
    nameRow(pen, row, y, height);
    for (const bar of row.bars) drawBar(pen, bar, y, height, row);
    if (height >= 8) drawMarks(pen, row, y, height);
    if (row.kind === "note") write(pen, row.said, left + 6, y + height / 2, 12);
  }
  drawHands(pen);
  bars.setAttribute("aria-label", overviewSaid());
  drawWindow();
}

function overviewSaid() {
  const agents = given.bars.filter((row) => row.kind === "agent").length;
  return `Time from left to right over ${span(head.length)}: who leads, drains and reclaims, ${agents} agents with their `
    + `tasks. What it shows is told in the list What happened.`;
}

function nameRow(pen, row, y, height) {
  if (height < 8) return;
  const strong = row.kind !== "task" && row.kind !== "note";
  pen.font = `${strong && height > 11 ? "600 " : ""}${height > 11 ? 12 : 9}px system-ui, sans-serif`;
  pen.fillStyle = strong ? colour.ink : colour["ink-2"];
  pen.textAlign = "right";
  write(pen, fitted(pen, row.name, left - 20), left - 10, y + height / 2, Math.min(height, 12));
  pen.textAlign = "left";
}

function fitted(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  let characters = [...text.slice(0, 200)];
  while (characters.length > 1 && pen.measureText(characters.join("") + "…").width > room) {
    characters = characters.slice(0, Math.max(1, characters.length - Math.max(1, characters.length >> 3)));
  }
  return characters.join("") + "…";
}

// Where a bar of this height lies in its row.
function levels(height, which) {
  const inner = height > 6 ? height - 3 : height - 1;
  if (which === 1) return [1, Math.round(inner * 0.66)];
  if (which === 2) return [Math.round(inner * 0.66) + 2, Math.max(2, inner - Math.round(inner * 0.66) - 1)];
  return [1, inner];
}

function drawBar(pen, [start, end, look, , which], y, height) {
  const [down, high] = levels(height, which);
  const from = xOf(start), to = Math.max(endOf(end), from + (look === "up" || look === "faint" ? 0 : 1));
  if (to <= from) return;
  const top = y + down;
  pen.globalAlpha = 1;
  if (look === "untold" || look === "asked") {
    pen.setLineDash(look === "asked" ? [] : [3, 3]);
    pen.strokeStyle = colour.leaving;
    pen.strokeRect(from + 0.5, top + 0.5, Math.max(1, to - from - 1), high - 1);
    pen.setLineDash([]);
    return;
  }
  if (look === "away" || look === "nobody") {
    const ink = look === "away" ? colour.away : colour.bad;
    hatch(pen, from, top, to - from, high, ink);
    return;
  }
  pen.globalAlpha = which === 2 ? 1 : { up: 0.42, faint: 0.14, tell: 0.5, held: 0.5 }[look] || 1;
  pen.fillStyle = { faint: colour.away, held: colour.leaving }[look] || colour[look];
  pen.fillRect(from, top, to - from, high);
  pen.globalAlpha = 1;
  if (look === "rest") {
    pen.fillStyle = colour.panel;
    if (high > 5 && to - from > 3) pen.fillRect(from + 1.5, top + 1.5, to - from - 3, high - 3);
  }
}

function hatch(pen, x, y, width, height, ink) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.fillStyle = colour.panel;
  pen.fillRect(x, y, width, height);
  pen.strokeStyle = ink;
  pen.lineWidth = 1.3;
  pen.beginPath();
  for (let at = x - height; at < x + width; at += 5) { pen.moveTo(at, y + height); pen.lineTo(at + height, y); }
  pen.stroke();
  pen.strokeRect(x, y, width, height);
  pen.restore();
}

// Marks and labels of one row, in the order of their weight; a label that would touch another is left out.
function drawMarks(pen, row, y, height) {
  const taken = [];
  const free = (from, to) => from >= left && to <= wide - RIGHT + 12 && taken.every(([start, end]) => to <= start || from >= end);
  const take = (from, to) => { taken.push([from, to]); };
  for (const [at, shape] of row.marks) if (shape !== "badge") take(xOf(at) - 4, xOf(at) + 4);
  const later = [];
  for (const mark of row.marks) {
    if (mark[1] === "badge") drawBadge(pen, mark, y, free, take);
    else { drawEnd(pen, mark, y, height); later.push(mark); }
  }
  for (const mark of later) if (mark[1] !== "square") labelEnd(pen, mark, y, height, free, take);
  if (height >= 12) for (const bar of row.bars) labelBar(pen, bar, y, height, free, take);
}

function drawBadge(pen, [at, , look, label], y, free, take) {
  pen.font = "700 8px system-ui, sans-serif";
  const x = xOf(at), width = pen.measureText(label).width + 5;
  const from = look === "bad" ? x - width - 3 : x;
  if (!free(from, from + width)) return;
  take(from, from + width);
  pen.fillStyle = colour[look];
  pen.fillRect(from, y + 1, width, 10);
  pen.fillStyle = colour[look === "bad" ? "on-bad" : "on-leaving"];
  write(pen, label, from + 2.5, y + 6.5, 8);
}

function drawEnd(pen, [at, shape, look], y, height) {
  const x = xOf(at), middle = y + height / 2 - 1;
  pen.strokeStyle = pen.fillStyle = shape === "square" ? colour.ink : look === "rest" ? colour.rest : colour.bad;
  if (shape === "square") {
    pen.fillRect(x - 2.5, y + height - 7, 5, 5);
    return;
  }
  pen.beginPath();
  if (shape === "cross") {
    pen.lineWidth = 2;
    pen.moveTo(x - 3, middle - 3); pen.lineTo(x + 3, middle + 3);
    pen.moveTo(x + 3, middle - 3); pen.lineTo(x - 3, middle + 3);
    pen.stroke();
    pen.lineWidth = 1;
  } else {
    pen.arc(x, middle, 3.5, 0, 7);
    pen.fill();
  }
}

function labelEnd(pen, [at, , , label], y, height, free, take) {
  pen.font = "600 9px system-ui, sans-serif";
  const x = xOf(at), middle = y + height / 2 - 1, width = pen.measureText(label).width;
  for (const from of [x + 7, x - 7 - width]) {
    if (!free(from - 2, from + width + 2)) continue;
    take(from - 2, from + width + 2);
    pen.fillStyle = colour.panel;
    pen.fillRect(from - 1, middle - 5, width + 2, 10);
    pen.fillStyle = colour.ink;
    write(pen, label, from, middle + 0.5, 9);
    return;
  }
}

function labelBar(pen, [start, end, look, label, which], y, height, free, take) {
  if (!label) return;
  const [down, high] = levels(height, which);
  pen.font = `600 ${high > 10 ? 11 : 9}px system-ui, sans-serif`;
  const from = xOf(start) + 4, width = pen.measureText(label).width;
  if (width + 4 > endOf(end) - from || !free(from, from + width + 4)) return;
  take(from, from + width + 4);
  const solid = ["leaving", "held"].includes(look);
  if (!solid && look !== "tell") {
    pen.fillStyle = colour.panel;
    pen.fillRect(from, y + down + (look === "rest" ? 1.5 : 0), width + 4, high - (look === "rest" ? 3 : 0));
  }
  pen.fillStyle = look === "leaving" ? colour["on-leaving"] : look === "nobody" ? colour.bad : colour.ink;
  write(pen, label, from + 2, y + down + high / 2 + 0.5, 9);
}

function drawSilences(pen) {
  if (shown.linear) return;
  pen.font = "italic 11px system-ui, sans-serif";
  for (let each = 1; each < instants.length; each++) {
    const now = instants[each];
    if (now.gap <= SILENCE_S * 1e6) continue;
    const from = xOf(instants[each - 1].to), to = xOf(now.at);
    pen.fillStyle = colour.faint;
    pen.fillRect(from, AXIS, to - from, tall - AXIS - 6);
  }
}

function drawAxis(pen) {
  const digits = head.length < 20e6 ? 3 : 1;
  const taken = [], told = new Set();
  const free = (from, to) => taken.every(([start, end]) => to < start || from > end);
  pen.font = "11px ui-monospace, monospace";
  pen.fillStyle = colour["ink-2"];
  pen.textAlign = "center";
  const telling = new Set(given.moments.map(([at]) => time[at]));
  const hands = new Set(given.moments.filter(([, , how]) => ["fault", "undone", "verb"].includes(how)).map(([at]) => time[at]));
  const weight = (each) => (hands.has(time[each.at]) ? 1e6 : telling.has(time[each.at]) ? 1e4 : 0) + each.count + Math.log2(1 + each.gap);
  for (const each of [...instants].sort((a, b) => weight(b) - weight(a)).slice(0, 300)) {
    const x = xOf(each.at), text = `${Number((time[each.at] / 1e6).toFixed(digits))} s`;
    const half = pen.measureText(text).width / 2 + 6;
    const middle = Math.max(left + half - 6, Math.min(wide - half, x));
    if (!free(middle - half, middle + half) || told.has(text)) continue;
    told.add(text);
    taken.push([middle - half, middle + half]);
    write(pen, text, middle, 9, 11);
    pen.fillStyle = colour.line;
    pen.fillRect(x, AXIS - 2, 1, tall - AXIS - 4);
    pen.fillStyle = colour["ink-2"];
    if (taken.length > wide / 70) break;
  }
  if (!shown.linear) {
    pen.font = "italic 10px system-ui, sans-serif";
    pen.fillStyle = colour["ink-3"];
    const marks = given.moments.map(([at]) => xOf(at));
    for (let each = 1; each < instants.length; each++) {
      if (instants[each].gap <= SILENCE_S * 1e6) continue;
      const from = xOf(instants[each - 1].to), to = xOf(instants[each].at);
      const text = `↔ ${span(instants[each].gap)}`, middle = (from + to) / 2, half = pen.measureText(text).width / 2 + 3;
      if (2 * half + 18 > to - from || marks.some((x) => Math.abs(x - middle) < half + 8 && x > from + 9 && x < to - 9)) continue;
      write(pen, text, middle, 24, 10);
    }
  }
  pen.textAlign = "left";
}

function drawHands(pen) {  // faults, verbs, the failure: a line through all, and its shape on top
  const bottom = tall - 6;
  const hands = given.moments.filter(([, , how]) => ["fault", "undone", "verb"].includes(how));
  const below = hands.length > 40 ? AXIS : bottom;  // many lines would hide the bars
  for (const [at, , how] of hands) {
    const x = xOf(at);
    pen.globalAlpha = 0.55;
    pen.fillStyle = how === "verb" ? colour.tell : colour.fault;
    pen.fillRect(x - 0.5, AXIS - 4, 1, below - AXIS + 4);
    pen.globalAlpha = 1;
    shapePath(pen, how, x, 24);
  }
  if (head.failure) {
    const x = xOf(head.failure.at);
    pen.fillStyle = colour.bad;
    pen.fillRect(x - 1, AXIS - 4, 2, bottom - AXIS);
    pen.beginPath();
    pen.arc(x, 24, 6.5, 0, 7);
    pen.fill();
    pen.strokeStyle = colour["on-bad"];
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.moveTo(x - 2.5, 21.5); pen.lineTo(x + 2.5, 26.5); pen.moveTo(x + 2.5, 21.5); pen.lineTo(x - 2.5, 26.5);
    pen.stroke();
    pen.lineWidth = 1;
  }
}

function shapePath(pen, how, x, y) {
  pen.beginPath();
  if (how === "verb") {
    pen.moveTo(x - 3.5, y - 4.5); pen.lineTo(x + 5, y); pen.lineTo(x - 3.5, y + 4.5);
    pen.fillStyle = colour.tell;
  } else {
    pen.moveTo(x, y - 5.5); pen.lineTo(x + 5.5, y); pen.lineTo(x, y + 5.5); pen.lineTo(x - 5.5, y);
    pen.fillStyle = how === "undone" ? colour.panel : colour.fault;
  }
  pen.closePath();
  pen.fill();
  if (how !== "verb") { pen.strokeStyle = colour.fault; pen.lineWidth = 1.4; pen.stroke(); pen.lineWidth = 1; }
}

function drawWindow() {
  const pen = sized(glass);
  const [from, to] = inView();
  const x = xOf(from), end = Math.max(xOf(to), x + 4);
  pen.fillStyle = pen.strokeStyle = colour.tell;
  pen.globalAlpha = 0.09;
  pen.fillRect(x, 17, end - x, tall - 20);
  pen.globalAlpha = 1;
  pen.lineWidth = 1.5;
  pen.strokeRect(x, 17, end - x, tall - 20);
  if (selected >= 0) {
    pen.fillStyle = colour.ink;
    pen.fillRect(xOf(selected) - 0.75, AXIS - 2, 1.5, tall - AXIS - 1);
  }
}

// A click goes there; dragging the window scrolls.
let dragging = null;
glass.addEventListener("pointerdown", (event) => {
  const [from, to] = inView().map(xOf);
  const inside = event.offsetX >= from && event.offsetX <= to;
  dragging = { off: inside ? event.offsetX - from : 0, moved: false, inside };
  glass.setPointerCapture(event.pointerId);
});
glass.addEventListener("pointermove", (event) => {
  if (!dragging || !(event.buttons & 1)) return;
  dragging.moved = true;
  const at = placeAcross((event.offsetX - dragging.off - left) / (wide - left - RIGHT));
  scrollToRow(rowOf[Math.max(at, shown.unfolded ? 0 : given.fold)]);
});
glass.addEventListener("pointerup", (event) => {
  if (dragging && !dragging.moved) {
    const at = placeAcross((event.offsetX - left) / (wide - left - RIGHT));
    choose(nearestMoment(event.offsetX, at));
  }
  dragging = null;
});

function nearestMoment(x, at) {
  let best = at, near = 7;
  for (const [place] of given.moments) {
    const away = Math.abs(xOf(place) - x);
    if (away < near) { best = shownFor(place); near = away; }
  }
  return best;
}
