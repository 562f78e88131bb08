// A word's map without a new page. Without this script each word is a link to its own page.

const words = document.getElementById("words");
const overlay = document.getElementById("overlay");
const map = document.getElementById("map");
const chosen = document.getElementById("chosen");
const same = document.getElementById("same");

function show(link) {
  const name = link.textContent;
  words.querySelector("[aria-current]")?.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  overlay.src = link.dataset.overlay;
  overlay.alt = `Heat map of “${name}” over the image`;
  map.src = link.dataset.map;
  map.alt = `Heat map of “${name}”`;
  same.search = link.search;
  chosen.textContent = `Shown: “${name}”.`;
}

words.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-map]");
  if (!link || !map || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link);
  history.replaceState(null, "", link.href);
});
