/* Forms whose answer comes from a passkey: `data-passkey` is "get" or "create". Without this file they stay hidden. */
(() => {
  "use strict";
  if (!window.PublicKeyCredential) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const keys = (list) => (list || []).map((key) => ({ ...key, id: bytes(key.id) }));

  const options = async (form) => {
    if (form.dataset.options) return JSON.parse(form.dataset.options);
    const answer = await fetch(form.dataset.optionsUrl, { method: "POST", body: new FormData(form) });
    if (!answer.ok) throw new Error(`${form.dataset.optionsUrl} answered ${answer.status}`);
    return answer.json();
  };

  const ask = async (form) => {
    const asked = await options(form);
    asked.challenge = bytes(asked.challenge);
    if (form.dataset.passkey === "create") {
      asked.user.id = bytes(asked.user.id);
      asked.excludeCredentials = keys(asked.excludeCredentials);
      return navigator.credentials.create({ publicKey: asked });
    }
    asked.allowCredentials = keys(asked.allowCredentials);
    return navigator.credentials.get({ publicKey: asked });
  };

  const plain = (made) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = text(made.response[name]);
    }
    return JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response });
  };

  const say = (form, sentence) => {
    const note = form.querySelector("[data-passkey-note]");
    note.textContent = sentence;
    note.hidden = !sentence;
  };

  const run = async (form) => {
    const button = form.querySelector("button");
    say(form, "");
    button.setAttribute("aria-busy", "true");
    try {
      form.elements.credential.value = plain(await ask(form));
      form.submit();
    } catch (error) {
      button.removeAttribute("aria-busy");
      const gaveUp = error.name === "NotAllowedError" || error.name === "AbortError";
      const sentences = form.dataset;
      say(form, gaveUp ? sentences.cancelled : error.name === "InvalidStateError" ? sentences.known : sentences.failed);
    }
  };

  document.querySelectorAll("[data-passkey-only]").forEach((element) => { element.hidden = false; });
  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      event.stopPropagation(); // it is sent by the answer, not by the button
      if (!form.querySelector("[aria-busy]")) run(form);
    });
  });
})();
