// The heat map's views: over the picture, beside it, hidden while a key is held, enlarged. Each change is logged.

import { setOpaque } from "./stimulus.js";

let log = [];
let since = null;
let before = 0;

const find = (id) => document.getElementById(id);

export function painted(now) {
  since = now;
}

function note(...what) {
  const at = since === null ? 0 : performance.now() - since;
  log.push([Math.round(before + at), ...what]);
}

// A new item starts in the study's first view; a page that comes back with an error goes on where it was.
export function begin(form) {
  since = null;
  before = Number(form.elements.browser_milliseconds?.value) || 0;
  try {
    log = JSON.parse(form.elements.views?.value || "[]");
  } catch {
    log = [];
  }
  const figures = find("figures");
  if (figures?.dataset.view) note("view", figures.dataset.view);
}

export const logged = () => JSON.stringify(log);

function setView(name) {
  note("view", name);
  find("figures").dataset.view = name;
  setOpaque(name === "beside");
}

export function hideMap(hidden) {
  const figures = find("figures");
  if (!find("overlay") || figures.classList.contains("hiding") === hidden) return;
  figures.classList.toggle("hiding", hidden);
  note(hidden ? "hide" : "show");
}

let home = null;

function enlarge(mat) {
  home = mat.parentElement;
  find("enlarged").prepend(mat);
  find("enlarged").showModal();
  note("enlarge", home.className);
}

function shrink() {
  home?.prepend(find("enlarged").querySelector(".mat"));
  home?.querySelector("button").focus();
  home = null;
  note("shrink");
}

export function listen() {
  document.addEventListener("change", ({ target }) => {
    if (target.name === "view") setView(target.value);
    if (target.id === "opacity") note("opacity", Number(target.value));
  });
  document.addEventListener("input", ({ target }) => {
    if (target.id === "opacity") find("overlay").style.opacity = target.value / 100;
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest(".enlarge");
    if (!button) return;
    if (home) find("enlarged").close();
    else enlarge(button.parentElement);
  });
  // Closing does not bubble.
  document.addEventListener("close", ({ target }) => target.id === "enlarged" && shrink(), true);
  listenToHold();
}

function listenToHold() {
  const onButton = (event) => event.target.closest?.("#hide");
  const presses = (event) => onButton(event) && (event.key === " " || event.key === "Enter");
  document.addEventListener("pointerdown", (event) => onButton(event) && hideMap(true));
  document.addEventListener("contextmenu", (event) => onButton(event) && event.preventDefault());
  // Captured, for some of these do not bubble.
  for (const name of ["pointerup", "pointercancel", "blur", "pointerleave"]) {
    document.addEventListener(name, (event) => event.target === find("hide") && hideMap(false), true);
  }
  document.addEventListener("keydown", (event) => presses(event) && hideMap(true));
  document.addEventListener("keyup", (event) => presses(event) && hideMap(false));
  window.addEventListener("blur", () => hideMap(false));
}
