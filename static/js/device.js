// Tells the form how wide the screen is, and says at once when that is too narrow. Without this file one is asked.

const form = document.querySelector("form[data-smallest-width]");
const notice = document.getElementById("narrow");

function measure() {
  form.elements.width.value = window.innerWidth;
  notice.hidden = window.innerWidth >= Number(form.dataset.smallestWidth);
}

if (form) {
  measure();
  window.addEventListener("resize", measure);
}
