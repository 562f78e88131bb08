// The pictures of an item, fetched and drawn before they are shown.

import { RENDERER, levels, paint, read } from "./drawing.js";

const fetched = new Map();
let ahead = [];

// Each file once; a failure is not remembered.
function bytes(address) {
  if (!fetched.has(address)) {
    const promise = fetch(address).then((response) => {
      if (!response.ok) throw new Error(`${address}: ${response.status}`);
      return response.arrayBuffer();
    });
    fetched.set(address, promise);
    promise.catch(() => fetched.delete(address));
  }
  return fetched.get(address);
}

async function layer({ map, colours, width, height }) {
  const [buffer, table] = await Promise.all([bytes(map), bytes(colours)]);
  const shown = levels(read(buffer), Number(height), Number(width));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height, made: { shown, table: new Uint8Array(table) } });
  paint(canvas, shown, canvas.made.table, false);
  return canvas;
}

const drawn = new Map();

function layerOnce(data) {
  if (!drawn.has(data.map)) drawn.set(data.map, layer(data));
  drawn.get(data.map).catch(() => drawn.delete(data.map));
  return drawn.get(data.map);
}

// Puts a canvas where the server's picture of the map stands; that picture stays where the canvas fails.
export async function drawMap(page) {
  const image = page.querySelector("img#overlay");
  if (!image?.dataset.map) return;
  const beside = page.getElementById("figures").dataset.view === "beside";
  try {
    let canvas = await layerOnce({ ...image.dataset });
    // The same item again, with an error: what is looked at stays where it is until the page is changed.
    if (canvas.isConnected) canvas = await layer(image.dataset);
    canvas.removeAttribute("style");
    Object.assign(canvas, { id: "overlay", className: image.className, role: "img", ariaLabel: image.alt });
    setOpaque(beside, canvas);
    image.replaceWith(canvas);
    page.querySelector("[name=renderer]")?.setAttribute("value", RENDERER);
  } catch {
    setOpaque(beside, image);
  }
  // Two stimuli are enough to remember: this one and the next.
  for (const map of [...drawn.keys()].slice(0, -2)) {
    drawn.delete(map);
    fetched.delete(map);
  }
}

// The map alone, or over the picture.
export function setOpaque(opaque, overlay = document.getElementById("overlay")) {
  if (overlay.made) {
    if (opaque !== Boolean(overlay.made.opaque)) paint(overlay, overlay.made.shown, overlay.made.table, opaque);
    overlay.made.opaque = opaque;
    return;
  }
  overlay.dataset.over ??= overlay.getAttribute("src");
  overlay.src = opaque ? overlay.dataset.opaque : overlay.dataset.over;
}

// Puts the pictures that were fetched and decoded before in the place of those that would be asked for again.
export function usePrefetched(page) {
  for (const image of page.querySelectorAll("img[src]")) {
    const at = ahead.findIndex((made) => made.getAttribute("src") === image.getAttribute("src"));
    if (at < 0) continue;
    const [made] = ahead.splice(at, 1);
    for (const { name, value } of image.attributes) if (name !== "src") made.setAttribute(name, value);
    image.replaceWith(made);
  }
}

// Resolves when every picture in `part` can be painted at once; rejects when one of them is broken.
export function decoded(part) {
  return Promise.all([...part.querySelectorAll("img[src]")].map((image) => image.decode()));
}

// Fetches what comes next while the rater looks at this one.
export async function prefetch(address) {
  try {
    const response = await fetch(address, { method: "POST" });
    const next = response.status === 200 ? await response.json() : {};
    // The picture stands there twice: alone, and under the map.
    const sources = [next.image, next.second, next.map && next.image].filter(Boolean);
    ahead = sources.map((source) => Object.assign(new Image(), { src: source }));
    await Promise.all([...ahead.map((image) => image.decode()), next.map && layerOnce(next)]);
    performance.mark("attest.prefetched");
  } catch {}
}
