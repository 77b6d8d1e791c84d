// The way back from the checkout. Without this script the button on the page does the same.
"use strict";

const back = document.getElementById("return");
if (back) {
  const { event, frame } = back.dataset;
  if (frame) {
    window.parent.postMessage({ event, fields: Object.fromEntries(new FormData(back)) }, frame);
  } else if (event === "paid" && back.getAttribute("action")) {
    setTimeout(() => back.submit(), 1200);
  }
}

const cancel = document.getElementById("cancel");
if (cancel) {
  cancel.addEventListener("click", () => window.parent.postMessage({ event: "dismissed" }, cancel.dataset.frame));
}
