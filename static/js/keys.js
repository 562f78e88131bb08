// Keyboard shortcuts, which can be switched off (WCAG 2.1.4); the choice is remembered in this browser.
"use strict";

{
  const name = "attest.shortcuts";
  const form = document.getElementById("answer-form");
  const control = document.getElementById("shortcuts");

  const apply = () => document.documentElement.classList.toggle("no-shortcuts", !control.checked);
  control.checked = localStorage.getItem(name) !== "off";
  control.addEventListener("change", () => {
    localStorage.setItem(name, control.checked ? "on" : "off");
    apply();
  });
  apply();

  const acts = (element) => element.closest("a, button, summary, select, textarea, [popover]");

  function choose(target) {
    if (target.tagName === "A") return target.click();
    target.focus();
    target.click();
  }

  document.addEventListener("keydown", (event) => {
    if (!control.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const key = event.key.toLowerCase();
    if (key === "?") return document.getElementById("instructions").togglePopover();
    if (document.querySelector("[popover]:popover-open")) return;
    if (key === "h") return document.getElementById("hide") && hideMap(true);
    if (key === "enter") {
      if (acts(event.target)) return;
      event.preventDefault();
      return form.requestSubmit(document.getElementById("submit"));
    }
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return;
    event.preventDefault();
    choose(target);
  });

  document.addEventListener("keyup", (event) => {
    if (event.key.toLowerCase() === "h" && figures.classList.contains("hiding")) hideMap(false);
  });
}
