// Beside the detail: what happened, in a few lines; or, of the event that is selected, what it was and why.

const side = document.getElementById("side");
const MOMENTS = 40;  // so many at a time
let momentsFrom = 0, momentHere = -1;

const SHAPES = {
  fault: ["M6 0 L12 6 L6 12 L0 6z", "fault"], undone: ["M6 1 L11 6 L6 11 L1 6z", "fault", "hollow"],
  verb: ["M1 1 L11 6 L1 11z", "tell"], lost: ["M2 2 L10 10 M10 2 L2 10", "bad", "hollow"],
  bad: ["M2 2 L10 10 M10 2 L2 10", "bad", "hollow"], leads: ["M0 3 H12 V9 H0z", "tell"], up: ["M0 3 H12 V9 H0z", "up"],
  leaving: ["M0 4 H12 V8 H0z", "leaving"], rest: ["M6 2 a4 4 0 1 0 .01 0z", "rest"],
  away: ["M1 3 H11 V9 H1z M1 9 L7 3 M5 9 L11 3", "away", "hollow"],
  message: ["M0 6 H9 M7 3 L11 6 L7 9", "message", "hollow"], tell: ["M0 6 H9 M7 3 L11 6 L7 9", "tell", "hollow"],
  disturbed: ["M0 6 H3 M5 6 H8 M10 6 H12", "fault", "hollow"], signal: ["M6 0 L12 6 L6 12 L0 6z", "fault"],
  work: ["M2 2 H10 V10 H2z", "ink"], exit: ["M1 6 H11", "ink", "hollow"], link: ["M3 3 L9 9 M9 3 L3 9", "message", "hollow"],
  failed: ["M2 2 L10 10 M10 2 L2 10", "bad", "hollow"], timer: ["M6 1 a5 5 0 1 0 .01 0z M6 3 V6 H9", "message", "hollow"],
  system: ["M4 6 a2 2 0 1 0 4 0 a2 2 0 1 0 -4 0", "message"],
};

function shape(name) {
  const [path, tint, hollow] = SHAPES[name] || SHAPES.system;
  const made = drawn("svg", { class: "shape", viewBox: "0 0 12 12", "aria-hidden": "true" });
  const drawnPath = drawn("path", { d: path });
  drawnPath.style.fill = hollow ? "none" : `var(--${tint})`;
  drawnPath.style.stroke = `var(--${tint})`;
  drawnPath.style.strokeWidth = hollow ? "1.8" : "0";
  made.append(drawnPath);
  return made;
}

function entry(at, look, micros, said, { indented, how, current, go = at } = {}) {
  const time_ = element("span", {}, micros === null ? "" : seconds(micros));
  const button = element("button", { type: "button", onclick: () => choose(go) },
    element("span", {}, shape(look)), time_, element("span", { dir: "auto" }, said));
  return element("li", { class: [indented ? "under" : "", how || "", current ? "here" : ""].join(" ").trim() || null }, button);
}

function showMoments() {
  const made = [element("h2", {}, "What happened")];
  if (!given.moments.length) made.push(element("p", {}, "Nothing but messages: no fault, no verb, no change of a state."));
  const to = Math.min(given.moments.length, momentsFrom + MOMENTS);
  const more = (text, from) => element("button", {
    type: "button", class: "more", onclick: () => { momentsFrom = Math.max(0, from); showMoments(); side.scrollTop = 0; },
  }, text);
  if (momentsFrom > 0) made.push(more(`… ${momentsFrom} earlier`, momentsFrom - MOMENTS));
  const all = element("ol", { id: "moments" });
  for (let each = momentsFrom; each < to; each++) {
    const [at, micros, look, said] = given.moments[each];
    const item = entry(at, look, micros, said, { current: each === momentHere, go: shownFor(at) });
    item.dataset.moment = each;
    all.append(item);
  }
  made.push(all);
  if (to < given.moments.length) made.push(more(`… ${given.moments.length - to} later`, momentsFrom + MOMENTS));
  made.push(...settingsShown());
  side.replaceChildren(...made);
}

function settingsShown() {  // and what the overview shows, as text
  const table = element("details", {}, element("summary", {}, "States as a table"));
  table.addEventListener("toggle", () => {
    if (table.open && !table.querySelector("pre")) table.append(element("pre", { class: "fields", tabindex: "0" }, given.states.join("\n")));
  });
  const made = [table];
  if (head.script.length) {
    made.push(element("h3", {}, "The script that was replayed"), element("p", { class: "fields" }, head.script.slice(0, 12).join("\n")));
  }
  if (head.settings.length) {
    made.push(element("h3", {}, "Settings"), element("p", { class: "fields" }, head.settings.map(([name, value]) => `${name}=${value}`).join(", ")));
  }
  return made;
}

function markMoment() {  // where the window is, in the list
  if (selected >= 0 || !given.moments.length) return;
  const [from, to] = inView();
  let here = given.moments.findIndex(([at]) => at >= from);
  if (here < 0) here = given.moments.length - 1;
  if (here < momentsFrom || here >= momentsFrom + MOMENTS) {
    momentsFrom = Math.max(0, Math.min(given.moments.length - MOMENTS, here - 5));
    showMoments();
  }
}

function showSelected() {
  const at = selected, why = whyOf(at);
  const rest = restOf(at), words = headOf(at);
  const space = isWhole(at) ? -1 : words.indexOf(" ");
  const made = [
    element("h2", {}, `Event ${index[at]} · ${seconds(time[at])} s`),
    element("p", { class: "what", dir: "auto" }, space < 0 ? words : words.slice(0, space)),
    element("p", { class: "fields" }, strings[who[at]]),
  ];
  if (space >= 0) made.push(element("p", { class: "fields", dir: "auto" }, words.slice(space + 1)));
  if (rest.length) {
    made.push(element("h3", {}, "It did"));
    for (let each = 0; each < rest.length; each += 2) made.push(element("p", { class: "fields" }, `${strings[rest[each]]} ${strings[rest[each + 1]]}`));
  }
  made.push(actsOn(at));
  made.push(element("h3", {}, "Because of ", element("kbd", {}, "←")));
  made.push(becauseOf(why));
  const effects = [...effectsOf(at), ...doneBy(at)].filter((effect) => !(flags[effect] & PASSED_OVER));
  made.push(element("h3", {}, "Led to ", element("kbd", {}, "→")));
  if (!effects.length) made.push(element("p", { class: "fields" }, "nothing that is in this trace"));
  const led = element("ol", { id: "led-to" });
  for (const effect of effects.slice(0, 12)) led.append(entry(effect, sortOf(effect), time[effect], oneLine(effect)));
  made.push(led);
  if (effects.length > 12) made.push(element("p", { class: "fields" }, `and ${effects.length - 12} more`));
  side.replaceChildren(...made);
  side.scrollTop = 0;
}

const oneLine = (at) => cut(`${headOf(at)}  ${strings[who[at]]}`, 140);

function becauseOf({ links, older }) {
  const all = element("ol", { id: "because-of" });
  if (links.length === 1 && !older && !links[0].under.length) {
    all.append(element("li", { class: "under" }, "nothing: it is a first cause"));
  }
  links.slice(0, 60).forEach((link, step) => {
    if (step > 0) all.append(entry(link.at, sortOf(link.at), time[link.at], cut(`${link.said}  ${strings[who[link.at]]}`, 160)));
    for (const each of link.under) {
      if (each.at < 0) all.append(element("li", { class: "under" }, each.said));
      else all.append(entry(each.at, each.how === "done" ? "fault" : "lost", null, each.said, { indented: true, how: each.how }));
    }
  });
  if (links.length > 60) all.append(element("li", { class: "under" }, `and ${links.length - 60} earlier`));
  if (older) all.append(element("li", { class: "under" }, "older than this trace"));
  return all;
}

function actsOn(at) {
  const acts = element("div", { class: "acts" });
  const act = (said, key, how) => acts.append(element("button", { type: "button", onclick: how }, said, ...(key ? [" ", element("kbd", {}, key)] : [])));
  const about = storiesOf(at);
  for (const id of about.slice(0, 3)) act(`Only ${cut(id, 24)}`, id === about[0] ? "s" : "", () => change(() => { shown.story = id; }));
  act(`Only ${strings[kind[at]]}`, "", () => change(() => { shown.kind = kind[at]; }));
  act("Copy", "c", copy);
  act("What happened", "Esc", () => choose(-1));
  return acts;
}
