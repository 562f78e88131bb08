// The rater's page, made more comfortable. Without this file the form and both pictures work as well.
"use strict";

const form = document.getElementById("answer-form");
const submit = document.getElementById("submit");
const figures = document.getElementById("figures");
const draftName = `attest.draft.${form.elements.key.value}`;

// --- how long it took -----------------------------------------------------------------------------------------------

let paintedAt = null;
const before = Number(form.elements.browser_milliseconds.value) || 0;
const shown = [...figures.querySelectorAll("img[src]")];

Promise.all(shown.map((image) => image.decode())).then(
  () => requestAnimationFrame(() => requestAnimationFrame(() => (paintedAt = performance.now()))),
  () => (document.getElementById("broken").hidden = false),
);

// --- an answer that survives ----------------------------------------------------------------------------------------

const chosen = () => [...form.querySelectorAll("[name=answer]:checked")].map((input) => input.value);

function keepDraft() {
  sessionStorage.setItem(draftName, JSON.stringify(chosen()));
}

function restoreDraft() {
  const values = JSON.parse(sessionStorage.getItem(draftName) || "[]");
  for (const input of form.querySelectorAll("[name=answer]")) {
    if (values.includes(input.value)) input.checked = true;
  }
}

form.addEventListener("change", (event) => {
  if (event.target.type === "checkbox") untickOthers(event.target);
  keepDraft();
});

// "Neither" and "too poor" go with no other tick.
function untickOthers(ticked) {
  if (!ticked.checked) return;
  for (const input of form.querySelectorAll("[name=answer]")) {
    const excluded = "alone" in ticked.dataset || "alone" in input.dataset;
    if (input !== ticked && excluded) input.checked = false;
  }
}

let sending = false;

form.addEventListener("submit", (event) => {
  if (paintedAt !== null) {
    form.elements.browser_milliseconds.value = before + Math.round(performance.now() - paintedAt);
  }
  const offline = document.getElementById("offline");
  offline.hidden = navigator.onLine;
  if (!navigator.onLine || sending) {
    event.preventDefault();
    return;
  }
  sending = true;
  submit.setAttribute("aria-disabled", "true");
});

window.addEventListener("online", () => {
  if (!document.getElementById("offline").hidden) form.requestSubmit(submit);
});

// A page that comes back from the browser's memory can be sent again.
window.addEventListener("pageshow", () => {
  sending = false;
  submit.removeAttribute("aria-disabled");
});

restoreDraft();
document.getElementById("problem")?.focus();

// --- the map --------------------------------------------------------------------------------------------------------

const overlay = document.getElementById("overlay");

async function setView(name) {
  const map = document.getElementById("map");
  figures.dataset.view = name;
  if (name === "beside") {
    map.src = map.dataset.src;
    // The overlay stays until the map can take its place, so that no bare picture flashes up between them.
    await map.decode().catch(() => {});
  }
  const beside = figures.dataset.view === "beside";
  map.hidden = !beside;
  overlay.hidden = beside;
}

function hideMap(hidden) {
  figures.classList.toggle("hiding", hidden);
}

if (overlay) {
  for (const radio of document.querySelectorAll("[name=view]")) {
    radio.addEventListener("change", () => setView(radio.value));
  }
  const opacity = document.getElementById("opacity");
  opacity.addEventListener("input", () => (overlay.style.opacity = opacity.value / 100));
  const hide = document.getElementById("hide");
  const presses = (event) => event.key === " " || event.key === "Enter";
  hide.addEventListener("pointerdown", () => hideMap(true));
  hide.addEventListener("contextmenu", (event) => event.preventDefault());
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
    hide.addEventListener(name, () => hideMap(false));
  }
  hide.addEventListener("keydown", (event) => presses(event) && hideMap(true));
  hide.addEventListener("keyup", (event) => presses(event) && hideMap(false));
}
