/* Behaviour on top of pages that work without it: every control here is also a plain link, form or <details>. */
(() => {
  "use strict";
  const root = document.documentElement;
  const $ = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const words = () => $("live").dataset;

  const say = (text) => {
    const live = $("live");
    live.textContent = "";
    setTimeout(() => { live.textContent = text; }, 50);
  };

  /* Controls that need this file are hidden without it. Runs again on everything htmx brings. */
  const prepare = (within) => {
    all("[data-reveal], [data-copy], [data-print], [data-dismiss], [data-colour-for]", within).forEach((e) => { e.hidden = false; });
    all("textarea[data-count]", within).forEach(count);
    all("[data-focus]:not(.guide *)", within)[0]?.focus();
  };

  const count = (area) => {
    const left = (area.dataset.count || area.maxLength) - area.value.length;
    let out = area.nextElementSibling;
    if (!out?.matches(".counter")) {
      out = document.createElement("p");
      out.className = "counter";
      area.after(out);
    }
    out.classList.toggle("over", left < 0);
    out.textContent = left < 0 ? `${-left} ${words().over}` : `${left} ${words().characters}`;
  };

  const isDark = () =>
    root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);

  const setTheme = (theme) => {
    root.dataset.theme = theme;
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = `theme=${theme};path=/;max-age=31536000;samesite=lax${secure}`;
    say(words()[theme]);
  };

  /* ---- forms: the theme switches at once, everything else is sent once ---- */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-theme-form]")) {
      event.preventDefault();
      setTheme(isDark() ? "light" : "dark");
    } else if (form.method === "post") {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "1";
      event.submitter?.setAttribute("aria-busy", "true");
      setTimeout(release, 15000, form.parentElement); // stopped by the reader, or a download
    }
  });

  const release = (within = document) => {
    all("form[data-sent]", within).forEach((form) => {
      delete form.dataset.sent;
      all("[aria-busy]", form).forEach((button) => button.removeAttribute("aria-busy"));
    });
  };
  addEventListener("pageshow", (event) => { if (event.persisted) release(); });

  /* ---- clicks ---- */
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    all("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });

    const opener = at("[data-dialog]");
    const dialog = opener && $(opener.dataset.dialog);
    if (dialog?.showModal) {
      const details = dialog.closest("details.confirm");
      if (details?.open && !dialog.open) return; // shown in the page with its error: let it close
      event.preventDefault();
      if (details) {
        details.open = true;
        details.classList.add("live");
      }
      dialog.showModal();
      requestAnimationFrame(() => dialog.querySelector("textarea, input:not([type=hidden]), button")?.focus());
      return;
    }
    if (event.target.matches?.("dialog[open]")) event.target.close(); // the backdrop
    at("[data-close]")?.closest("dialog")?.close();
    at("[data-dismiss]")?.closest(".note")?.remove();

    if (at("[data-print]")) print();

    const copy = at("[data-copy]");
    if (copy) {
      const source = $(copy.dataset.copy);
      source.select?.();
      const label = copy.querySelector("span") || copy;
      const before = label.textContent;
      navigator.clipboard?.writeText(source.value ?? source.textContent.trim()).then(() => {
        label.textContent = copy.dataset.done;
        say(words().copied);
        setTimeout(() => { label.textContent = before; }, 2000);
      });
    }

    const reveal = at("[data-reveal]");
    if (reveal) {
      const field = $(reveal.dataset.reveal);
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      reveal.setAttribute("aria-pressed", String(!shown));
      reveal.textContent = shown ? reveal.dataset.off : reveal.dataset.on;
    }

    if (at("[data-back]") && history.length > 1 && event.target.dataset.back) {
      event.preventDefault();
      history.back();
    }
  });

  document.addEventListener("close", (event) => {
    const details = event.target.closest?.("details.confirm.live");
    if (details) {
      details.open = false;
      details.classList.remove("live");
      details.querySelector("summary").focus();
    }
  }, true);

  /* ---- typing ---- */
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (field.matches("textarea[data-count]")) count(field);
    if (field.dataset.colourFor) {
      const text = $(field.dataset.colourFor);
      text.value = field.value;
      text.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (field.id && /^#[0-9a-f]{6}$/i.test(field.value)) {
      all("[data-colour-for]").forEach((picker) => { if (picker.dataset.colourFor === field.id) picker.value = field.value; });
    }
  });

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.dataset.colourFor) $(field.dataset.colourFor).dispatchEvent(new Event("change", { bubbles: true }));
    const image = field.type === "file" && field.closest("[data-preview]")?.querySelector("img");
    const file = image && field.files[0];
    if (file && file.type.startsWith("image/")) {
      const reader = new FileReader(); // a data: address, as the Content-Security-Policy allows
      reader.onload = () => { image.src = reader.result; image.hidden = false; };
      reader.readAsDataURL(file);
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      all("details.menu[open]").forEach((menu) => {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
    }
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      const field = document.querySelector("[aria-keyshortcuts='/']");
      if (field) {
        event.preventDefault();
        field.focus();
      }
    }
  });

  /* ---- htmx ---- */
  document.addEventListener("htmx:before:request", (event) => {
    all(".note.unreachable").forEach((note) => note.remove());
    if (event.target.closest?.("[hx-indicator]")) say(words().loading);
  });
  document.addEventListener("htmx:after:swap", (event) => {
    release();
    prepare(event.target.isConnected ? event.target : document);
    all(".toast:not([data-seen])").forEach((toast) => {
      toast.dataset.seen = "1";
      const box = toast.getBoundingClientRect();
      if (box.bottom < 0 || box.top > innerHeight) {
        toast.classList.add("floating");
        setTimeout(() => toast.classList.remove("floating"), 6000);
      }
    });
  });
  const fail = (source, text) => {
    release();
    if (!source?.isConnected) return;
    const note = document.createElement("p");
    note.className = "note bad unreachable";
    note.setAttribute("role", "alert");
    source.after(note);
    note.textContent = text;
  };
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx) fail(event.detail.ctx.sourceElement, words().unreachable);
  });
  /* A part of a page is put in its place, a form with mistakes too; a whole page is opened as one. */
  document.addEventListener("htmx:before:response", (event) => {
    const { response, sourceElement, target } = event.detail.ctx;
    if (response.raw.redirected && target !== document.body) {
      event.preventDefault();
      location.assign(response.raw.url);
    } else if (response.status >= 400 && response.status !== 422) {
      event.preventDefault();
      fail(sourceElement, words().failed);
    }
  });

  all(".toast").forEach((toast) => { toast.dataset.seen = "1"; });
  prepare(document);
  const arrived = all("#messages .toast").map((toast) => toast.textContent.trim());
  if (arrived.length) say(arrived.join(" "));
})();
