// The preview below a study's form follows what is written: after a pause it is asked for anew, and shown when it is there.

const PAUSE = 400;
const form = document.getElementById("study_form");
const button = document.getElementById("preview-button");
const stage = document.getElementById("preview-stage");
let timer = null;
let number = 0;

function shown(frame) {
  if (frame.name !== `preview-${number}`) return frame.remove();
  for (const other of stage.querySelectorAll("iframe")) if (other !== frame) other.remove();
  frame.classList.remove("coming");
}

// A new frame each time: to send the form into the one that is there would add a step to the browser's history.
function refresh() {
  const frame = stage.querySelector("iframe").cloneNode();
  frame.removeAttribute("src");
  frame.removeAttribute("loading");
  frame.name = `preview-${++number}`;
  frame.className = "coming";
  stage.append(frame);
  const target = button.formTarget;
  button.formTarget = frame.name;
  form.requestSubmit(button);
  button.formTarget = target;
  // Listened to only now: the empty page that a frame begins with is loaded as well.
  frame.addEventListener("load", () => shown(frame));
}

function changed({ target }) {
  if (target.form !== form || target.name === "preview_width") return;
  clearTimeout(timer);
  timer = setTimeout(refresh, PAUSE);
}

if (form && button && stage) {
  document.addEventListener("input", changed);
  document.addEventListener("change", changed);
}
