/* The chosen time, in words, beside the button. Without this the page says it once the form was sent. */
(() => {
  "use strict";
  const show = (form) => {
    const chosen = form.querySelector("[data-when]:checked");
    form.classList.add("live");
    form.querySelectorAll("[data-picked]").forEach((out) => {
      out.hidden = !chosen;
      out.textContent = chosen ? chosen.dataset.when : "";
    });
    form.querySelectorAll("[data-unpicked]").forEach((out) => { out.hidden = Boolean(chosen); });
  };
  const all = () => document.querySelectorAll("[data-picker]").forEach(show);

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-when]")) show(event.target.form);
  });
  document.addEventListener("htmx:after:swap", all);
  addEventListener("pageshow", all);
  all();
})();
