// A page that follows a study: htmx asks, this says what htmx does not know. Without it the page has a link to read again.

const line = document.getElementById("followed");
const words = line.querySelector("[role=status]");
const time = line.querySelector("time");
const panel = () => document.getElementById("live");
const scrolled = () => [...document.querySelectorAll("#live .scroll[id]")];
let places = new Map();

// Only what differs is written, for a screen reader reads out whatever is.
function say(text, lost = false) {
  line.classList.toggle("lost", lost);
  if (words.textContent !== text) words.textContent = text;
}

function wasRead(xhr) {
  const at = new Date(xhr.getResponseHeader("Date") ?? Date.now()).toISOString();
  time.dateTime = at;
  time.textContent = `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
  say(panel().dataset.summary);
}

function resume() {
  if (!document.hidden && panel().hasAttribute("hx-get")) window.htmx.trigger(panel(), "seen");
}

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["If-None-Match"] = panel().dataset.etag;
});
// Nobody looks: nothing is asked until somebody does.
document.addEventListener("htmx:beforeRequest", (event) => document.hidden && event.preventDefault());
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const here = new URL(pathInfo.requestPath, location.href).href;
  // Signed out meanwhile, or no member any more: the page itself says so.
  if ((xhr.responseURL && xhr.responseURL !== here) || xhr.status === 403 || xhr.status === 404) {
    event.detail.shouldSwap = false;
    location.reload();
  }
  places = new Map(scrolled().map((region) => [region.id, [region.scrollLeft, region.scrollTop]]));
});
document.addEventListener("htmx:afterSwap", () => {
  for (const region of scrolled()) region.scrollTo(...(places.get(region.id) ?? [0, 0]));
});
document.addEventListener("htmx:afterRequest", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 304 || (xhr.status >= 200 && xhr.status < 300)) wasRead(xhr);
  else say(line.dataset.lost, true);
});
document.addEventListener("visibilitychange", resume);
window.addEventListener("online", resume);
