// Keyboard shortcuts, which can be switched off (WCAG 2.1.4); the choice is remembered in this browser.
"use strict";

const shortcuts = document.getElementById("shortcuts");

function applyShortcuts() {
  document.documentElement.classList.toggle("no-shortcuts", !shortcuts.checked);
}

shortcuts.checked = memory.read("attest.shortcuts") !== false;
shortcuts.addEventListener("change", () => {
  memory.write("attest.shortcuts", shortcuts.checked);
  applyShortcuts();
});
applyShortcuts();

// Under a Korean layout the key says ㅈ where the keyboard says W.
function keyOf(event) {
  const latin = event.key.charCodeAt(0) < 128;
  return (latin ? event.key : event.code.replace(/^Key/, "")).toLowerCase();
}

function choose(target) {
  if (target.tagName !== "A") target.focus();
  target.click();
}

document.addEventListener("keydown", (event) => {
  if (!shortcuts.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = keyOf(event);
  if (key === "?") return document.getElementById("instructions").togglePopover();
  if (document.querySelector("[popover]:popover-open")) return;
  if (key === "h") return hideMap(true);
  if (key === "enter") {
    // Links and buttons keep their own Enter.
    if (event.target.closest("a, button")) return;
    event.preventDefault();
    return form.requestSubmit(submit);
  }
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return;
  event.preventDefault();
  choose(target);
});

document.addEventListener("keyup", (event) => {
  if (keyOf(event) === "h") hideMap(false);
});
