// Niceties of the desk; every page works without them. Plain JavaScript, no inline handlers: the pages' CSP is strict.
"use strict";
(() => {
  const $ = (selector, inside = document) => inside.querySelector(selector);
  const typing = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;

  // --- keys: "/" to the search box, "?" for help ---
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const box = $(".find input");
    if (event.key === "/" && box) {
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "?" && !$("dialog[open]")) {
      event.preventDefault();
      $("#keys").showModal();
    }
  });

  // --- questions: a form with data-ask is sent once the dialog was answered with yes ---
  document.addEventListener("submit", (event) => {
    const form = event.target, dialog = $("#confirm");
    if (!form.dataset.ask || form.dataset.sure || !dialog || !dialog.showModal) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    $("#confirm-question").textContent = form.dataset.ask;
    $("[data-yes]", dialog).textContent = form.dataset.yes;
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "yes") return;
      form.dataset.sure = "yes";
      form.requestSubmit(event.submitter);
    }, { once: true });
    dialog.showModal();
  }, true);

  // --- a form is sent once, however often the button is pressed ---
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => document.querySelectorAll("[data-sent], [data-sure]").forEach((form) => {
    delete form.dataset.sent;
    delete form.dataset.sure;
  }));

  // --- toasts: what a fragment reports by data-said is shown for a while and read aloud ---
  const say = (words) => {
    const toast = document.createElement("p");
    toast.className = "toast";
    toast.textContent = words;
    $("#toasts").append(toast);
    setTimeout(() => toast.remove(), 8000);
  };
  const settle = (root) => {
    for (const element of root.querySelectorAll("[data-said]")) {
      say(element.dataset.said);
      element.removeAttribute("data-said");
    }
  };
  document.addEventListener("htmx:after:swap", () => settle(document));
  document.addEventListener("htmx:error", () => say(document.body.dataset.offline));

  // --- an open drop-down closes by Escape and by a click elsewhere ---
  const shut = (except) => document.querySelectorAll("details.drop[open]").forEach((drop) => {
    if (drop !== except) drop.open = false;
  });
  document.addEventListener("click", (event) => shut(event.target.closest("details.drop")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const drop = $("details.drop[open]");
    shut(null);
    if (drop && drop.contains(document.activeElement)) $("summary", drop).focus();
  });

  // --- a select or date with data-go sends its form when it changes; its button is then not needed ---
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-go]")) event.target.form.requestSubmit();
  });

  // --- a button with data-print prints the page ---
  document.addEventListener("click", (event) => {
    if (event.target.matches("[data-print]")) print();
  });

  // --- what went wrong is brought to the reader ---
  const first = $("[data-first]");
  if (first) ($("[aria-invalid=true]") || first).focus();
})();
