// Keyboard shortcuts, which can be switched off (WCAG 2.1.4); the choice is remembered in this browser.

import * as memory from "./memory.js";
import { hideMap } from "./views.js";

const NAME = "attest.shortcuts";
const box = () => document.getElementById("shortcuts");
const on = () => memory.read(NAME) !== false;

// The switch comes with each page and shows what was chosen.
export function begin() {
  if (box()) box().checked = on();
  document.documentElement.classList.toggle("no-shortcuts", !on());
}

// Under a Korean layout the key says ㅈ where the keyboard says W.
function keyOf(event) {
  const latin = event.key.charCodeAt(0) < 128;
  return (latin ? event.key : event.code.replace(/^Key/, "")).toLowerCase();
}

function choose(target) {
  if (target.tagName !== "A") target.focus();
  target.click();
}

function pressed(event) {
  if (!box()?.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = keyOf(event);
  if (key === "?") return document.getElementById("instructions").togglePopover();
  if (document.querySelector("[popover]:popover-open")) return;
  if (key === "h") return hideMap(true);
  if (document.querySelector("dialog[open]")) return;
  if (key === "enter") return submit(event);
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return;
  event.preventDefault();
  choose(target);
}

function submit(event) {
  // Links and buttons keep their own Enter.
  if (event.target.closest("a, button")) return;
  event.preventDefault();
  document.getElementById("answer-form").requestSubmit(document.getElementById("submit"));
}

export function listen() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("keyup", (event) => keyOf(event) === "h" && hideMap(false));
  document.addEventListener("change", ({ target }) => {
    if (target !== box()) return;
    memory.write(NAME, target.checked);
    document.documentElement.classList.toggle("no-shortcuts", !target.checked);
  });
}
