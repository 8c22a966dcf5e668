// Everything else: the title, search, filters, keys, the address; and what is done first.

const byId = (id) => document.getElementById(id);
const search = byId("search");
const switches = { timers: byId("timers"), heartbeats: byId("heartbeats"), linear: byId("linear") };
let wanted = "", hits = [];

// ------------------------------------------------------------------------------------------------------ choosing

function choose(at, scroll = true) {  // select a record, -1 none; show it, whatever hides it
  selected = at;
  lit = at >= 0 ? litBy(at) : null;
  if (at >= 0 && !isRow(at)) uncover(at);
  if (at >= 0 && scroll) reveal(at);
  scroller.setAttribute("aria-activedescendant", at >= 0 ? `row-${rowOf[at]}` : "");
  if (at >= 0) showSelected(); else { momentHere = -1; showMoments(); }
  placeLanes();
  drawDetail();
  drawWindow();
  remember();
}

function uncover(at) {
  if (at < given.fold) shown.unfolded = true;
  if (isFiltered() && !isShown(at)) Object.assign(shown, { story: "", actor: -1, kind: -1, hits: null });
  if (!isShown(at)) shown[(flags[at] & 3) === HEARTBEAT ? "heartbeats" : "timers"] = true;
  refresh();
}

function change(how, keepTop = false) {  // what is shown; the event that is selected, or the first in view, stays
  const anchor = selected >= 0 ? selected : inView()[0];
  const away = rowOf[anchor] * ROW - topOf();
  how();
  refresh();
  if (keepTop) scrollToRow(0); else scrollToRow(rowOf[anchor], Math.max(0, Math.min(viewHigh() - ROW, away)));
  resizeDetail();
  drawWindow();
  remember();
}

function refresh() {
  arrange();
  for (const name in switches) switches[name].setAttribute("aria-pressed", String(shown[name]));
  showFilters();
  resizeDetail();
}

function step(by) {
  let row = selected >= 0 ? rowOf[selected] + by : rowsInView()[0] + (by > 0 ? 0 : -1);
  while (row >= 0 && row < items.length && items[row] < 0) row += by;
  if (row >= 0 && row < items.length) choose(items[row]);
}

function stepMoment(by) {
  const at = selected >= 0 ? selected : inView()[0] - (by > 0 ? 1 : 0);
  const places = given.moments.map(([place]) => shownFor(place));
  let next = momentHere >= 0 && places[momentHere] === selected ? momentHere
    : by > 0 ? places.findLastIndex((place) => place <= at) : places.findIndex((place) => place >= at);
  if (next < 0) next = by > 0 ? -1 : places.length;
  do next += by; while (places[next] === selected);
  if (next < 0 || next >= places.length) return;
  momentHere = next;
  choose(places[next]);
}

// Where a thing that happened can be seen: at its record, or if that is hidden at what caused it or came of it at once.
function shownFor(at) {
  const seen = (each) => time[each] === time[at] && (!(flags[each] & 3) || given.rest[each] !== undefined);
  if (seen(at)) return at;
  for (let each = cause[at], left = 4; each >= 0 && left > 0; each = cause[each], left--) if (seen(each)) return each;
  const queue = [at];
  for (let next = 0; next < queue.length && next < 40; next++) {
    for (const effect of effectsOf(queue[next])) {
      if (seen(effect)) return effect;
      queue.push(effect);
    }
  }
  return at;
}

function goToCause() {
  if (selected < 0) return;
  let to = cause[selected];
  while (to >= 0 && flags[to] & PASSED_OVER) to = cause[to];
  if (to >= 0) choose(to); else tell(to === -2 ? "Its cause is older than this trace." : "It has no cause: it is a first.");
}

function goToEffect() {
  if (selected < 0) return;
  let effects = effectsOf(selected);
  while (effects.length && [...effects].every((each) => flags[each] & PASSED_OVER)) effects = effectsOf(effects[0]);
  const next = [...effects].find((each) => !(flags[each] & PASSED_OVER) && isShown(each))
    ?? [...effects].find((each) => !(flags[each] & PASSED_OVER));
  if (next === undefined) tell("It led to nothing in this trace."); else choose(next);
}

function goToFailure() {
  if (head.failure) choose(head.failure.at);
  else tell("Nothing failed.");
}

function onlyStory() {
  if (shown.story) { change(() => { shown.story = ""; }); return; }
  const ids = selected >= 0 ? storiesOf(selected) : NONE;
  if (ids.length) change(() => { shown.story = ids[0]; });
  else tell("Select an event of a task, a drain or a reclaim first.");
}

function back() {
  if (byId("help").open) byId("help").close();
  else if (document.activeElement === search && search.value) { search.value = ""; look(); }
  else if (isFiltered()) change(() => Object.assign(shown, { story: "", actor: -1, kind: -1, hits: null }));
  else choose(-1);
  scroller.focus({ preventScroll: true, focusVisible: false });
}

// ------------------------------------------------------------------------------------------------------ search

const lowered = [];
function look() {  // a substring of kind, words, actors and effects, in every string once
  wanted = search.value.trim().toLowerCase();
  hits = [];
  if (wanted) {
    const has = strings.map((text, place) => (lowered[place] ??= text.toLowerCase()).includes(wanted));
    for (let at = 0; at < total; at++) {
      if (has[what[at]] || has[who[at]] || has[kind[at]] || restOf(at).some((text) => has[text])) hits.push(at);
    }
  }
  byId("found").textContent = wanted ? hits.length ? `${hits.length} found` : "not found" : "";
  if (shown.hits) change(() => { shown.hits = wanted ? new Set(hits) : null; });
  else drawDetail();
}

function nextHit(by) {
  const there = hits.filter(isShownOrFolded);
  if (!there.length) return;
  const next = by > 0 ? there.find((at) => at > selected) : there.findLast((at) => at < selected);
  choose(next ?? there[by > 0 ? 0 : there.length - 1]);
  byId("found").textContent = `${there.indexOf(selected) + 1} of ${there.length}`;
}
const isShownOrFolded = (at) => headShown(at) || restOf(at).length > 0;

search.addEventListener("input", look);
search.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  if (event.shiftKey) change(() => { shown.hits = shown.hits || !wanted ? null : new Set(hits); });
  else nextHit(1);
});

// ------------------------------------------------------------------------------------------------------ text

function copyText() {  // what is selected, else the story that is shown, else what happened
  if (selected >= 0) return whyText(selected);
  if (shown.story) return rowsText();
  return given.moments.map(([, micros, , said]) => `${seconds(micros).padStart(9)}  ${said}`).join("\n");
}

function rowsText() {
  return [...items].filter((at) => at >= 0).flatMap((at) => linesOf(at, headShown(at))).join("\n");
}

async function copy() {
  const text = copyText();
  try { await navigator.clipboard.writeText(text); } catch {
    const box = element("textarea", {}, text);
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  tell(`Copied ${text.split("\n").length} lines.`);
}

let telling_ = 0;
function tell(text) {
  byId("said").textContent = text;
  byId("found").textContent = text;
  clearTimeout(telling_);
  telling_ = setTimeout(() => { byId("found").textContent = ""; }, 4000);
}

// ------------------------------------------------------------------------------------------------------ keys

const KEYS = [
  [["ArrowDown", "j"], "↓ j", "next row", () => step(1)],
  [["ArrowUp", "k"], "↑ k", "previous row", () => step(-1)],
  [["ArrowLeft"], "←", "its cause", goToCause],
  [["ArrowRight"], "→", "its first effect", goToEffect],
  [["n"], "n", "the next thing that happened", () => stepMoment(1)],
  [["p"], "p", "the previous thing that happened", () => stepMoment(-1)],
  [["f"], "f", "the failure", goToFailure],
  [["/"], "/", "search: Enter the next one, Shift-Enter only these", () => search.select()],
  [["s"], "s", "only this story, the task, drain or reclaim of the row; again: all", onlyStory],
  [["t"], "t", "show timers, storage and what callbacks return", () => change(() => { shown.timers = !shown.timers; })],
  [["h"], "h", "show heartbeats that arrived", () => change(() => { shown.heartbeats = !shown.heartbeats; })],
  [["a"], "a", "time in the overview linear, or with silences made short", linear],
  [["l"], "l", "light or dark", theme],
  [["c"], "c", "copy as text: the selected event and why, the story, or what happened", copy],
  [["Escape"], "Esc", "back: the search, the filter, the selection", back],
  [["?"], "?", "these keys", help],
];

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const writing = event.target === search;
  if (writing && event.key !== "Escape") return;
  if (byId("help").open && event.key !== "Escape" && event.key !== "?") return;
  const key = KEYS.find(([keys]) => keys.includes(event.key));
  if (!key) return;
  event.preventDefault();
  key[3]();
});

function linear() {
  shown.linear = !shown.linear;
  switches.linear.setAttribute("aria-pressed", String(shown.linear));
  layAcross();
  drawOverview();
  remember();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function theme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  repaint();
  remember();
}

function repaint() {
  byId("theme").textContent = isDark() ? "Light" : "Dark";
  readColours();
  drawOverview();
  drawDetail();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

function help() {
  const dialog = byId("help");
  if (dialog.open) { dialog.close(); return; }
  const table = element("table", {}, ...KEYS.map(([, key, said]) => element("tr", {},
    element("td", {}, element("kbd", {}, key)), element("td", {}, said))));
  dialog.replaceChildren(element("h2", { id: "help-name" }, "Keys"), table,
    element("p", {}, "A click in the overview goes there; dragging its window scrolls. A lane's name shows only that one."));
  dialog.showModal();
}

// ------------------------------------------------------------------------------------------------------ the frame

function showHead() {
  byId("title").textContent = document.title = head.title;
  byId("title").title = head.title;
  const facts = [head.seed === null ? "" : `seed ${head.seed}`, `${head.records.toLocaleString("en")} records`, span(head.length)];
  byId("facts").textContent = facts.filter(Boolean).join(" · ");
  const notices = byId("notices");
  if (head.failure) {
    notices.append(element("div", { id: "failed", class: "notice", role: "alert" },
      element("b", {}, "✕ Failed"),
      element("p", { dir: "auto" }, element("b", {}, head.failure.check), ` at ${seconds(head.failure.time)} s: ${head.failure.words}`),
      head.repeat ? element("code", {}, head.repeat) : null,
      element("button", { type: "button", id: "show", onclick: goToFailure }, "Show ", element("kbd", {}, "f"))));
  }
  if (head.fallen) {
    notices.append(element("div", { class: "notice", id: "fallen" }, element("p", {},
      `${head.fallen.toLocaleString("en")} records are not kept any more, the oldest and most of the heartbeats; `
      + "a chain of causes that leads to them ends there.")));
  }
  notices.append(element("div", { class: "notice", id: "filters", hidden: "" }));
}

function showFilters() {
  const said = [];
  const chip = (text, how) => said.push(element("button", { type: "button", onclick: () => change(how) }, `${text} ✕`));
  if (shown.story) chip(`only the story of ${cut(shown.story, 60)}`, () => { shown.story = ""; });
  if (shown.actor >= 0) chip(`only ${lanesName(shown.actor)}`, () => { shown.actor = -1; });
  if (shown.kind >= 0) chip(`only ${strings[shown.kind]}`, () => { shown.kind = -1; });
  if (shown.hits) chip(`only what has “${wanted}”`, () => { shown.hits = null; });
  byId("filters").replaceChildren(...(said.length ? [element("span", {}, "Shown:")] : NONE), ...said);
  byId("filters").hidden = !said.length;
}

function showLegend() {
  const legend = byId("legend");
  for (const [look, said] of [["fault", "fault"], ["undone", "undone"], ["verb", "operator"], ["message", "message"],
    ["tell", "user code is told"], ["lost", "lost"], ["work", "process ended"]]) {
    legend.append(element("span", {}, shape(look), said));
  }
  const keys = element("span", { class: "keys" });
  for (const [key, said] of [["↑ ↓", "event"], ["← →", "cause, effect"], ["n p", "what happened"], ["/", "search"], ["?", "keys"]]) {
    keys.append(element("kbd", {}, key), ` ${said}   `);
  }
  legend.append(keys);
}

// What is selected and shown lives in the address, so that a link opens there.
function remember() {
  const said = new URLSearchParams();
  if (selected >= 0) said.set("at", index[selected]);
  for (const name in switches) if (shown[name]) said.set(name, "1");
  if (shown.unfolded && given.fold >= 4) said.set("unfolded", "1");
  if (shown.story) said.set("story", shown.story);
  if (shown.actor >= 0) said.set("actor", lanesName(shown.actor));
  if (shown.kind >= 0) said.set("kind", strings[shown.kind]);
  if (document.documentElement.dataset.theme) said.set("theme", document.documentElement.dataset.theme);
  history.replaceState(null, "", `#${said}`);
}

function recall() {
  const said = new URLSearchParams(location.hash.slice(1));
  for (const name in switches) shown[name] = said.has(name);
  if (said.has("unfolded")) shown.unfolded = true;
  if (Object.hasOwn(given.stories, said.get("story") ?? "")) shown.story = said.get("story");
  shown.actor = said.has("actor") ? lanes.findIndex((lane) => lanesName(lane.number) === said.get("actor")) : -1;
  shown.kind = said.has("kind") ? strings.indexOf(said.get("kind")) : -1;
  if (["light", "dark"].includes(said.get("theme"))) document.documentElement.dataset.theme = said.get("theme");
  if (said.has("at")) return placeOf(Number(said.get("at")));
  return said.has("failure") && head.failure ? head.failure.at : -1;
}

list.addEventListener("click", (event) => {
  const row = event.target.closest("[data-at]");
  if (row && !String(getSelection())) choose(Number(row.dataset.at), false);
});
for (const [name, how] of [["timers", "t"], ["heartbeats", "h"], ["linear", "a"], ["theme", "l"]]) {
  byId(name).addEventListener("click", () => KEYS.find(([keys]) => keys[0] === how)[3]());
}
let sizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(sizing);
  sizing = requestAnimationFrame(() => { drawOverview(); resizeDetail(); });
});
addEventListener("hashchange", () => { const at = recall(); refresh(); repaint(); choose(at); });

showHead();
showLegend();
const first = recall();
layAcross();
arrange();
showFilters();
for (const name in switches) switches[name].setAttribute("aria-pressed", String(shown[name]));
byId("theme").textContent = isDark() ? "Light" : "Dark";
readColours();
drawOverview();
showMoments();
resizeDetail();
drawWindow();
if (first >= 0) choose(first);
scroller.focus({ preventScroll: true, focusVisible: false });
window.mesolite = { whyText, copyText, rowsText, total, written };  // for whoever has the console open, and for tests
requestAnimationFrame(() => setTimeout(() => { document.documentElement.dataset.ready = String(performance.now()); }));
