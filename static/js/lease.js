// Tells the server, while the page is in sight, that its item is still being looked at.

const EVERY = 60_000;

function beat() {
  const address = document.getElementById("answer-form")?.dataset.heartbeat;
  if (address && document.visibilityState === "visible") fetch(address, { method: "POST" }).catch(() => {});
}

export function listen() {
  setInterval(beat, EVERY);
  document.addEventListener("visibilitychange", beat);
}
