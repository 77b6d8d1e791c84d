// The checkout's script with the interface of the gateway's own: new Razorpay(options).open(), .on(), .close().
"use strict";

(() => {
  const home = new URL(document.currentScript.src).origin;

  const fieldsOf = (options) => {
    const prefill = options.prefill || {};
    const given = {
      key_id: options.key,
      order_id: options.order_id,
      name: options.name,
      description: options.description,
      image: options.image,
      callback_url: options.callback_url,
      cancel_url: options.cancel_url,
      "prefill[name]": prefill.name,
      "prefill[email]": prefill.email,
      "prefill[contact]": prefill.contact,
    };
    return Object.entries(given).filter(([, value]) => value);
  };

  const errorOf = (fields) => {
    const about = (name) => fields[`error[${name}]`] || "";
    return {
      code: about("code"),
      description: about("description"),
      source: about("source"),
      step: about("step"),
      reason: about("reason"),
      metadata: JSON.parse(about("metadata") || "{}"),
    };
  };

  class Razorpay {
    constructor(options) {
      this.options = options;
      this.listeners = {};
      this.hear = this.hear.bind(this);
    }

    on(name, listener) {
      (this.listeners[name] ||= []).push(listener);
      return this;
    }

    open() {
      if (this.options.redirect && this.options.callback_url) {
        this.leave();
        return;
      }
      const address = new URL("/v1/checkout/embedded", home);
      for (const [name, value] of fieldsOf(this.options)) {
        if (!name.endsWith("_url")) address.searchParams.set(name, value);
      }
      address.searchParams.set("frame", window.location.origin);
      this.frame = document.createElement("iframe");
      this.frame.src = address;
      this.frame.title = "Payment";
      Object.assign(this.frame.style, { position: "fixed", inset: "0", width: "100%", height: "100%", border: "0", zIndex: "2147483647" });
      document.body.append(this.frame);
      window.addEventListener("message", this.hear);
    }

    close() {
      window.removeEventListener("message", this.hear);
      if (this.frame) this.frame.remove();
      this.frame = null;
    }

    leave() {
      const form = document.createElement("form");
      form.method = "post";
      form.action = `${home}/v1/checkout/embedded`;
      for (const [name, value] of fieldsOf(this.options)) {
        const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
        form.append(field);
      }
      document.body.append(form);
      form.submit();
    }

    hear(message) {
      if (message.origin !== home || !this.frame || message.source !== this.frame.contentWindow) return;
      const { event, fields } = message.data;
      if (event === "paid") {
        this.close();
        if (this.options.handler) this.options.handler(fields);
      } else if (event === "failed") {
        for (const listener of this.listeners["payment.failed"] || []) listener({ error: errorOf(fields) });
      } else if (event === "dismissed") {
        this.close();
        const { ondismiss } = this.options.modal || {};
        if (ondismiss) ondismiss();
      }
    }
  }

  window.Razorpay = Razorpay;
})();
