// The rater's page, made more comfortable. Without these files the form and both pictures work as well.

import * as answering from "./answering.js";
import * as keys from "./keys.js";
import * as lease from "./lease.js";
import * as pages from "./pages.js";
import { prefetch } from "./stimulus.js";
import * as views from "./views.js";

// Said to those who cannot see that the next item has come.
const said = document.createElement("p");
said.className = "visually-hidden";
said.setAttribute("role", "status");
document.body.append(said);

function arrived(form) {
  views.begin(form);
  answering.begin(form);
  keys.begin();
  said.textContent = document.querySelector("#reopened, .progress label")?.textContent ?? "";
}

function painted(form) {
  const now = performance.now();
  views.painted(now);
  answering.paintedAt(now);
  performance.mark("attest.painted");
  form.dataset.painted = "";
  if (form.dataset.ahead) prefetch(form.dataset.ahead);
}

for (const part of [answering, keys, lease, pages, views]) part.listen();
pages.whenShown(arrived, painted);
pages.arrive();
document.getElementById("problem")?.focus();
answering.sendUnsent();
