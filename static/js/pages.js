// The next page put in the place of this one, whole: nothing blinks, and the address stays the rater's own link.

import * as stimulus from "./stimulus.js";

// A picture that takes longer than this may come after the rest of its page.
const PATIENCE = 3000;
const PARTS = ["header", "main", "footer"];

let onArrival = () => {};
let onPainted = () => {};

export function whenShown(arrival, painting) {
  [onArrival, onPainted] = [arrival, painting];
}

const after = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Begins with the page that stands here. Pictures and map count as painted right after the next frame.
export async function arrive(pictures = stimulus.drawMap(document).then(() => stimulus.decoded(document))) {
  const form = document.getElementById("answer-form");
  if (form) onArrival(form);
  try {
    await pictures;
    requestAnimationFrame(() => setTimeout(() => form?.isConnected && onPainted(form)));
  } catch {
    const broken = document.getElementById("broken");
    if (broken) broken.hidden = false;
  }
}

// Shows what the server answered: in place if it is a page to answer, by going there if it is another one.
export async function follow(response, text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const elsewhere = response.ok && !page.getElementById("answer-form");
  if (elsewhere) return location.assign(response.url);
  try {
    await show(page, response.url);
  } catch {
    location.assign(response.url);
  }
}

async function show(page, address) {
  await stimulus.drawMap(page);
  stimulus.usePrefetched(page);
  const parts = PARTS.map((name) => [document.querySelector(name), page.querySelector(name)]);
  for (const part of parts) part[1] = document.adoptNode(part[1]);
  const pictures = stimulus.decoded(parts[1][1]);
  await Promise.race([pictures.catch(() => {}), after(PATIENCE)]);
  for (const [old, fresh] of parts) old.replaceWith(fresh);
  document.title = page.title;
  if (address !== location.href) history.replaceState(null, "", address);
  scrollTo(0, 0);
  (document.getElementById("problem") ?? parts[1][1]).focus({ preventScroll: true });
  arrive(pictures);
}

// Links that stay among the items: undo, and its way back.
export function listen() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const response = await fetch(link.href);
      if (!response.ok) throw new Error(`status ${response.status}`);
      await follow(response, await response.text());
    } catch {
      // Without a connection this page is worth more than the browser's word for that.
      if (navigator.onLine) location.assign(link.href);
    }
  });
}
