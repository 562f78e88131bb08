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
  return { shown: levels(read(buffer), Number(height), Number(width)), table: new Uint8Array(table) };
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
    const made = await layerOnce({ ...image.dataset });
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { id: "overlay", className: image.className, made });
    Object.assign(canvas, { width: Number(image.dataset.width), height: Number(image.dataset.height) });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", image.alt);
    paint(canvas, made.shown, made.table, beside);
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
  if (overlay.made) return paint(overlay, overlay.made.shown, overlay.made.table, opaque);
  overlay.dataset.over ??= overlay.getAttribute("src");
  overlay.src = opaque ? overlay.dataset.opaque : overlay.dataset.over;
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
    ahead = [next.image].filter(Boolean).map((source) => Object.assign(new Image(), { src: source }));
    await Promise.all([...ahead.map((image) => image.decode()), next.map && layerOnce(next)]);
    performance.mark("attest.prefetched");
  } catch {}
}
