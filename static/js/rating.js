// The rater's page, made more comfortable. Without this file the form and both pictures work as well.
"use strict";

const form = document.getElementById("answer-form");
const submit = document.getElementById("submit");
const figures = document.getElementById("figures");
const offline = document.getElementById("offline");
const answers = [...form.querySelectorAll("[name=answer]")];

// A browser may refuse storage; nothing on this page needs it.
const memory = {
  read(name) {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null;
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(name, JSON.stringify(value));
    } catch {}
  },
};

// --- how long it took -----------------------------------------------------------------------------------------------

let paintedAt = null;
const before = Number(form.elements.browser_milliseconds.value) || 0;

function painted() {
  requestAnimationFrame(() => requestAnimationFrame(() => (paintedAt = performance.now())));
}

Promise.all([...figures.querySelectorAll("img[src]")].map((image) => image.decode())).then(
  painted,
  () => (document.getElementById("broken").hidden = false),
);

// --- an answer that survives ----------------------------------------------------------------------------------------

// The key names this very submission, so that a choice comes back after a reload and never turns up at another item.
const key = form.elements.key.value;

function restoreDraft() {
  const draft = memory.read("attest.draft");
  if (draft?.key !== key) return;
  for (const input of answers) input.checked ||= draft.values.includes(input.value);
}

// "Neither" and "too poor" go with no other tick.
function untickOthers(ticked) {
  for (const input of answers) {
    const excluded = "alone" in ticked.dataset || "alone" in input.dataset;
    if (input !== ticked && excluded) input.checked = false;
  }
}

form.addEventListener("change", (event) => {
  if (event.target.type === "checkbox" && event.target.checked) untickOthers(event.target);
  memory.write("attest.draft", { key, values: answers.filter((input) => input.checked).map((input) => input.value) });
});

let sending = false;

form.addEventListener("submit", (event) => {
  offline.hidden = navigator.onLine;
  if (!navigator.onLine || sending) {
    event.preventDefault();
    return;
  }
  if (paintedAt !== null) {
    form.elements.browser_milliseconds.value = before + Math.round(performance.now() - paintedAt);
  }
  sending = true;
  // A second press is stored once anyway; this lets a rater try again after stopping the page.
  setTimeout(() => (sending = false), 3000);
});

window.addEventListener("online", () => {
  if (!offline.hidden) form.requestSubmit(submit);
});

window.addEventListener("pageshow", () => (sending = false));

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
