// Takes that are recorded from the page: who, what, how long, a countdown, and the files.

import { ask } from "./ask.js";

const COUNTDOWN_S = 3;

const get = (id) => document.getElementById(id);
let counting = 0;
let going = false;
let shown = null;

export function say(text, bad = true) {
  get("told").textContent = text;
  get("told").className = bad ? "bad" : "";
}

/** Offer the model's activities; others can be typed. While a take is going, a button begins that of its activity. */
export function offer(labels) {
  const buttons = labels.map((label) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    button.onclick = () => {
      get("activity").value = label;
      if (going) record();
    };
    return button;
  });
  get("names").replaceChildren(...buttons);
  const options = labels.map((label) => Object.assign(document.createElement("option"), { value: label }));
  get("activities").replaceChildren(...options);
}

get("recording").onsubmit = (event) => {
  event.preventDefault();
  if (going) return;
  count(COUNTDOWN_S);
};

get("stop").onclick = () => {
  if (counting) {
    clearTimeout(counting);
    counting = 0;
    enable();
    say("Not begun.", false);
  } else {
    ask("stop", {}).catch(({ message }) => say(message));
  }
};

function count(left) {
  if (left) {
    say(`${get("activity").value} in ${left} s`, false);
    counting = setTimeout(() => count(left - 1), 1000);
  } else {
    counting = 0;
    record();
  }
  enable();
}

function record() {
  const seconds = get("length").value ? Number(get("length").value) : null;
  ask("record", { subject: get("subject").value, label: get("activity").value, seconds }).catch(({ message }) =>
    say(message),
  );
}

function enable() {
  get("go").disabled = going || counting > 0;
  get("stop").disabled = !going && !counting;
}

/** Show the state of the recorder; the section is hidden where nobody may record. */
export function tellRecording(state) {
  get("record").hidden = !state;
  if (!state) return;
  // Said once: what the page itself has said since, such as a refusal, stays.
  if (state === shown) return;
  shown = state;
  going = state.label !== null;
  if (state.trouble) say(state.trouble);
  else if (going) say(`${state.label}: ${state.seconds.toFixed(0)} s recorded`, false);
  else if (!counting && state.takes.length) say(`${state.takes.at(-1).seconds} s of ${state.takes.at(-1).label} recorded`, false);
  enable();
  if (get("takes").childElementCount === state.takes.length) return;
  const items = state.takes.map(({ name, label, samples, seconds }) => {
    const link = Object.assign(document.createElement("a"), { href: `takes/${encodeURIComponent(name)}`, download: name });
    link.textContent = name;
    const item = document.createElement("li");
    item.append(link, ` ${label}, ${seconds} s, ${samples} samples`);
    return item;
  });
  get("takes").replaceChildren(...items.reverse());
}
