// An answer that survives: kept until the server has it, sent again when the connection is back, stored once.

import * as memory from "./memory.js";
import { follow } from "./pages.js";
import { logged } from "./views.js";

const DRAFT = "attest.draft";
const UNSENT = "attest.unsent.";
// The server takes the same submission twice as one, so giving up early and trying again costs nothing.
const PATIENCE = 20_000;
const LONGEST_WAIT = 30_000;
const DOUBLE_CLICK = 500;

let form = null;
let painted = null;
let swapped = -Infinity;
let before = 0;
let pressed = null;
let sending = false;
let wait = 0;
let timer = null;

const inputs = () => [...form.querySelectorAll("[name=answer]")];
const chosen = () => inputs().filter((input) => input.checked).map((input) => input.value);
const later = (response) => response.status >= 500 || [408, 429].includes(response.status);
const lost = () => document.getElementById("lost");

// A page with a form has come. The key names this very submission: its draft never turns up at another item.
export function begin(newForm) {
  form = newForm;
  [painted, pressed, wait] = [null, null, 0];
  clearTimeout(timer);
  before = Number(form.elements.browser_milliseconds?.value) || 0;
  const draft = memory.read(DRAFT);
  if (!draft || draft.key !== form.elements.key?.value) return;
  for (const input of inputs()) input.checked ||= draft.values.includes(input.value);
}

export function paintedAt(now) {
  painted = now;
}

// "Neither" and "too poor" go with no other tick.
function untickOthers(ticked) {
  for (const input of inputs()) {
    const excluded = "alone" in ticked.dataset || "alone" in input.dataset;
    if (input !== ticked && excluded) input.checked = false;
  }
}

function fields() {
  pressed ??= performance.now();
  const { elements } = form;
  if (painted !== null) elements.browser_milliseconds.value = before + Math.round(pressed - painted);
  elements.views.value = logged();
  elements.viewport.value = `${innerWidth}x${innerHeight}@${Number(devicePixelRatio.toFixed(2))}`;
  return new URLSearchParams(new FormData(form)).toString();
}

function send(action, body) {
  const headers = { "Content-Type": "application/x-www-form-urlencoded", "X-Requested-With": "fetch" };
  return fetch(action, { method: "POST", headers, body, signal: AbortSignal.timeout?.(PATIENCE) });
}

async function submit() {
  const nothing = !chosen().length;
  if (sending || (nothing && performance.now() - swapped < DOUBLE_CLICK)) return;
  const [name, action] = [UNSENT + form.elements.key.value, form.action];
  let body;
  try {
    body = fields();
  } catch {
    return form.submit();
  }
  if (!nothing) memory.write(name, { action, body });
  sending = true;
  performance.mark("attest.answered");
  try {
    const response = await send(action, body);
    if (later(response)) throw new Error(`status ${response.status}`);
    const text = await response.text();
    // Whatever stands between, such as a network's sign-in page, has not stored the answer.
    if (!text.includes('id="main"')) throw new Error("not our page");
    memory.forget(name);
    lost().hidden = true;
    await follow(response, text);
    swapped = performance.now();
  } catch {
    tryAgain();
  } finally {
    sending = false;
  }
}

function tryAgain() {
  lost().hidden = false;
  wait = Math.min(2 * wait || 1000, LONGEST_WAIT);
  clearTimeout(timer);
  timer = setTimeout(submit, wait);
}

// What an earlier page could not send. Another answer that was stored meanwhile stands: the server says 409.
export async function sendUnsent() {
  // From a page that is only looked at nothing is sent.
  if (form && !form.elements.key) return;
  for (const name of memory.names(UNSENT)) {
    if (name === UNSENT + form?.elements.key?.value) {
      if (chosen().length) submit();
      continue;
    }
    const { action, body } = memory.read(name) ?? {};
    const response = await send(action, body).catch(() => null);
    if (response && !later(response)) memory.forget(name);
  }
}

export function listen() {
  document.addEventListener("change", ({ target }) => {
    if (target.name !== "answer" || !form?.elements.key) return;
    pressed = null;
    if (target.type === "checkbox" && target.checked) untickOthers(target);
    memory.write(DRAFT, { key: form.elements.key.value, values: chosen() });
  });
  document.addEventListener("submit", (event) => {
    // A form without a key is no judgement: the browser sends it.
    if (event.target !== form || !form.elements.key) return;
    event.preventDefault();
    submit();
  });
  window.addEventListener("online", () => lost()?.hidden === false && submit());
}
