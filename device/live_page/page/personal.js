// Personalising: whose correction the run has, a guided session of takes, and what came of it.

import { ask } from "./ask.js";
import { cue } from "./cue.js";

const SECONDS = 10;
const NEW_SECONDS = 30;
const LEAST = 2;
const NOBODY = "";

const get = (id) => document.getElementById(id);
const buttons = [...document.querySelectorAll("[data-do]")];
// What a take is to be for; the page may be loaded anew in the middle of a session.
const KEY = "operator";
let known = null;
let fresh = [];
let phase = null;
let trouble = "";

const make = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);

function complain({ message }) {
  get("fitting").textContent = message;
  get("fitting").className = "bad";
}

const send = (what, content) => ask(`personal/${what}`, content).catch(complain);

get("wearers").onchange = () => send("wear", { wearer: get("wearers").value || null });
get("wear").onsubmit = (event) => event.preventDefault();
get("undo").onclick = () => sure(true);
get("sure").onclick = () => {
  sure(false);
  send("undo", { wearer: get("wearers").value });
};
get("sure").onblur = () => sure(false);
get("add").onclick = add;
get("fresh").onkeydown = (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  add();
};
get("plan").addEventListener("input", () => {
  // What was wrong may have been mended.
  get("fitting").textContent = "";
  tellEnough();
});
get("plan").onsubmit = (event) => {
  event.preventDefault();
  begin();
};
for (const button of buttons) {
  button.onclick = () => {
    cue(0);
    send("act", { operator: sessionStorage.getItem(KEY), do: button.dataset.do });
  };
}

function sure(asked) {
  get("undo").hidden = asked;
  get("sure").hidden = !asked;
  if (asked) get("sure").focus();
}

function add() {
  const label = get("fresh").value.trim();
  if (!label || [...known.labels, ...fresh].includes(label)) return;
  fresh.push(label);
  const item = choice(label, NEW_SECONDS, true);
  get("choices").append(item);
  item.scrollIntoView({ block: "nearest" });
  get("fresh").value = "";
  tellEnough();
}

/** The activities that are chosen, and the seconds of each. */
function chosen() {
  return [...get("choices").children].flatMap((item) => {
    const [box, length] = item.querySelectorAll("input");
    return box.checked ? [[box.value, Number(length.value)]] : [];
  });
}

/** Say before anything is recorded how many activities it takes. */
function tellEnough() {
  if (!known) return;
  const name = get("who").value.trim();
  const before = known.wearers.find((wearer) => wearer.name === name)?.recorded ?? [];
  const labels = chosen().map(([label]) => label);
  const enough = new Set([...before, ...labels]).size >= LEAST && labels.some((label) => known.labels.includes(label));
  const text = before.length
    ? `With ${list(before)} of ${name}'s earlier sessions, one more activity is enough.`
    : "At least two: the model learns to tell them from each other, and of one alone it learns nothing. Take those that it confuses.";
  // Told anew only when it changes: a screen reader reads it.
  if (get("enough").textContent !== text) get("enough").textContent = text;
  get("enough").className = enough ? "" : "bad";
}

const list = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

function choice(label, seconds, chosen) {
  const box = make("input", "", { type: "checkbox", checked: chosen, value: label });
  const length = make("input", "", { type: "number", min: 3, max: 60, step: 1, value: seconds, required: true });
  length.setAttribute("aria-label", `Seconds of ${label}`);
  const name = make("label", "");
  name.append(box, label);
  const item = make("li", "");
  item.append(name, length);
  return item;
}

function begin() {
  const { value: wearer } = get("who");
  const wish = { wearer, prepare: Number(get("prepare").value), steps: chosen(), keep: get("keep").checked };
  get("fitting").textContent = "";
  ask("personal/begin", wish).then(({ operator }) => {
    sessionStorage.setItem(KEY, operator);
    tell();
  }, complain);
}

/** Show the state of personalising; without one, how to have it. */
export function tellPersonal(state) {
  if (state === known) return;
  known = state;
  tell();
}

function tell() {
  get("how").hidden = known !== null;
  const session = shown();
  get("wardrobe").hidden = !known || session !== null;
  get("guide").hidden = session === null;
  if (!known) return;
  tellWearers();
  tellChoices();
  if (session) tellSession(session);
  if (session?.phase !== phase) {
    if (mine(session)) cue({ recording: 880, checking: 440 }[session.phase] ?? 0);
    phase = session?.phase;
    get("fitting").textContent = "";
    trouble = "";
  }
  // What was refused to this page alone stays until something else happens.
  if (known.trouble !== trouble) complain({ message: known.trouble });
  trouble = known.trouble;
}

/** The session, unless it is over and was somebody else's. */
function shown() {
  const session = known?.session ?? null;
  return session && !mine(session) && ["done", "refused"].includes(session.phase) ? null : session;
}

const mine = (session) => session !== null && (sessionStorage.getItem(KEY) ?? "").startsWith(`${session.id}.`);

function tellWearers() {
  const { wearers, worn } = known;
  const names = wearers.map(({ name }) => name);
  const options = wearers.map(({ name, sessions, new: more }) =>
    make("option", `${name}, ${sessions === 1 ? "1 session" : `${sessions} sessions`}${more.length ? `, with ${more.join(", ")}` : ""}`, { value: name }),
  );
  if (worn !== null && !names.includes(worn)) options.unshift(make("option", worn, { value: worn }));
  get("wearers").replaceChildren(make("option", "nobody: as trained", { value: NOBODY }), ...options);
  get("wearers").value = worn ?? NOBODY;
  get("undo").disabled = !names.includes(worn);
}

function tellChoices() {
  get("keeping").hidden = !known.keeps;
  if (!get("choices").childElementCount) {
    get("choices").append(...known.labels.map((label) => choice(label, SECONDS, known.labels.length <= 8)));
  }
  tellEnough();
}

const SIGNS = { kept: "✓", next: "▸", left: "–", later: "" };

function tellSession({ steps, number, phase: now, wearer, check, needed, told, left, done, kept, id }) {
  const conducts = mine({ id });
  const items = steps.map(({ label, seconds }, index) => {
    const state = index > number ? "later" : index === number ? "next" : kept.includes(label) ? "kept" : "left";
    const item = make("li", "");
    item.append(make("span", SIGNS[state]), `${label}, ${seconds.toFixed(0)} s${state === "left" ? ", left out" : ""}`);
    if (state === "next") item.setAttribute("aria-current", "step");
    return item;
  });
  get("steps").replaceChildren(...items);
  const step = steps[Math.min(number, steps.length - 1)];
  const texts = {
    ready: `Next: ${step.label}, ${step.seconds.toFixed(0)} s. Press Start when you are ready.`,
    countdown: `Get ready: ${step.label}`,
    recording: `Now: ${step.label}`,
    checking: `Looking at ${step.label}…`,
    checked: check ? check.text : "",
    fitting: "Computing the correction…",
    done: `Saved and put on: ${told.join("; ")}.`,
    refused: `Not saved: ${told.join("; ")}`,
  };
  const place = `${step.label}, ${Math.min(number + 1, steps.length)} of ${steps.length}`;
  get("next").textContent = conducts ? texts[now] : `Somebody is personalising for ${wearer}: ${place}`;
  get("next").className = now === "refused" || (check && !check.usable) ? "bad" : "";
  const hint = conducts && ["ready", "checked"].includes(now) ? hintOf(step.label, check, needed) : "";
  if (get("hint").textContent !== hint) get("hint").textContent = hint;
  get("done").hidden = now !== "recording";
  get("done").value = done / step.seconds;
  countDown(now === "countdown" ? known.came + 1000 * left : 0);
  const doable = {
    ready: ["start", "skip", "cancel"],
    countdown: ["stop", "cancel"],
    recording: ["stop", "cancel"],
    checked: check?.usable ? ["keep", "start", "skip", "cancel"] : ["start", "skip", "cancel"],
    done: ["cancel"],
    refused: ["cancel"],
  };
  offerButtons(conducts ? (doable[now] ?? []) : [], now);
}

/** What else it takes for the correction to be of use. */
function hintOf(label, check, needed) {
  const missing = check?.missing && `The model takes ${label} for ${check.missing}: record ${check.missing} in a session, too, or the two cannot be told apart.`;
  const alone = needed && `If ${label} is left out, nothing can be saved: it takes two activities.`;
  return [missing, alone].filter(Boolean).join(" ");
}

function offerButtons(doable, now) {
  const held = document.activeElement;
  for (const button of buttons) {
    button.hidden = !doable.includes(button.dataset.do);
    button.className = button.dataset.do === doable[0] ? "main" : "";
  }
  get("guide").querySelector('[data-do="start"]').textContent = now === "checked" ? "Repeat" : "Start";
  get("guide").querySelector('[data-do="cancel"]').textContent = now === "done" || now === "refused" ? "Close" : "End";
  // The keyboard stays where something can be done.
  if ((buttons.includes(held) && held.hidden) || held === get("next")) {
    (buttons.find((button) => !button.hidden) ?? get("next")).focus();
  }
}

let counting = 0;

function countDown(end) {
  clearTimeout(counting);
  const left = Math.ceil((end - performance.now()) / 1000);
  get("count").textContent = end && left > 0 ? left : "";
  if (end && left > 0) counting = setTimeout(() => countDown(end), 200);
}
