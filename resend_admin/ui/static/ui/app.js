/* What the pages add when scripts run. Every page works without this file. */

const root = document.documentElement;
root.dataset.js = "";

const byId = (id) => document.getElementById(id);
const on = (target, event, listener, options) => target.addEventListener(event, listener, options);
const keep = (name, value) => {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${secure}`;
};

/* The viewer's zone, for the next request. The profile wins on the server. */
keep("tz", Intl.DateTimeFormat().resolvedOptions().timeZone);

/* A control that is off stays in reach and says why; it does nothing. */
on(document, "click", (event) => {
  if (event.target.closest?.("[aria-disabled=true]")) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, { capture: true });

/* For browsers that do not know commandfor yet. */
if (!("commandForElement" in HTMLButtonElement.prototype)) {
  on(document, "click", (event) => {
    const button = event.target.closest?.("button[commandfor]");
    const dialog = button && byId(button.getAttribute("commandfor"));
    if (dialog) button.getAttribute("command") === "close" ? dialog.close() : dialog.showModal();
  });
}

/* Theme: at once, without a request. The form does the same for others. */
on(document, "submit", (event) => {
  const theme = event.submitter?.value;
  if (!event.target.matches("[data-themes]") || !theme) return;
  event.preventDefault();
  keep("theme", theme);
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const button of event.target.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
});

/* The menu on a narrow screen: the current place is in view, an edge that hides more fades. */
const nav = document.querySelector(".nav");
if (nav) {
  const showEdges = () => {
    const hidden = nav.scrollWidth - nav.clientWidth;
    nav.classList.toggle("more-before", nav.scrollLeft > 1);
    nav.classList.toggle("more-after", nav.scrollLeft < hidden - 1);
  };
  const current = nav.querySelector("[aria-current]")?.getBoundingClientRect();
  const seen = nav.getBoundingClientRect();
  if (current) nav.scrollLeft += current.left - seen.left - (seen.width - current.width) / 2;
  on(nav, "scroll", showEdges, { passive: true });
  new ResizeObserver(showEdges).observe(nav);
}

/* Toasts stay eight seconds, or for as long as somebody looks at them. */
function toast(text) {
  const note = document.createElement("div");
  const words = document.createElement("p");
  const dismiss = document.createElement("button");
  note.className = "toast";
  words.textContent = text;
  dismiss.type = "button";
  dismiss.textContent = "Dismiss";
  note.append(words, dismiss);
  let timer;
  const start = () => { timer = setTimeout(() => note.remove(), 8000); };
  const stop = () => clearTimeout(timer);
  on(dismiss, "click", () => note.remove());
  for (const name of ["mouseenter", "focusin"]) on(note, name, stop);
  for (const name of ["mouseleave", "focusout"]) on(note, name, start);
  byId("toasts")?.append(note);
  start();
}
on(document, "toast", (event) => toast(event.detail.text));
for (const note of document.querySelectorAll("#toasts .toast")) {
  const text = note.textContent.trim();
  note.remove();
  /* Put in after the page is read, so that it is read aloud. */
  setTimeout(() => toast(text), 100);
}

/* The dialog that forms are loaded into. */
const dialog = byId("dialog");
const inDialog = (event) => dialog && event.detail.target === dialog;
on(document, "htmx:beforeSwap", (event) => {
  if (!inDialog(event)) return;
  /* Closed meanwhile: an answer that comes late does not open it again. */
  if (!event.detail.requestConfig.elt.isConnected) {
    event.detail.shouldSwap = false;
    return;
  }
  /* A refusal is shown where the question was asked. */
  if (event.detail.xhr.status !== 409) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});
on(document, "htmx:afterSwap", (event) => {
  if (!inDialog(event)) return;
  if (!dialog.open) dialog.showModal();
  const wrong = dialog.querySelector("[aria-invalid=true]");
  (wrong ?? dialog.querySelector("[autofocus], input:not([type=hidden]), select, textarea"))?.focus();
});
if (dialog) on(dialog, "close", () => dialog.replaceChildren());
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  on(document, name, (event) => {
    if (event.detail.elt.closest("[data-poll]")) return;
    toast("That did not work. Check your connection, reload the page and try again.");
  });
}

/* Ask before what cannot be taken back. */
function ask(element, question, go) {
  const box = byId("confirm");
  byId("confirm-title").textContent = question;
  byId("confirm-text").textContent = element.dataset.confirmText ?? "";
  byId("confirm-verb").textContent = element.dataset.confirmVerb ?? "Yes, do it";
  byId("confirm-keep").textContent = element.dataset.confirmKeep ?? "Keep as it is";
  box.returnValue = "keep";
  on(box, "close", () => { if (box.returnValue === "go") go(); }, { once: true });
  box.showModal();
}
on(document, "htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  ask(event.detail.elt, event.detail.question, () => event.detail.issueRequest(true));
});
on(document, "submit", (event) => {
  const form = event.target;
  if (!form.dataset.confirm || form.dataset.confirmed) return;
  event.preventDefault();
  ask(form, form.dataset.confirm, () => {
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter);
  });
});

/* Filters: an empty field says nothing, so it stays out of the address. */
on(document, "htmx:configRequest", (event) => {
  if (!event.detail.elt.matches("form.filters")) return;
  const parameters = event.detail.parameters;
  for (const name of Object.keys(parameters)) if (parameters[name] === "") delete parameters[name];
});

/* Live regions rest while the tab is hidden, a dialog asks something about what they
   show, or somebody asked for quiet. */
let quiet = false;
const showQuiet = () => {
  for (const button of document.querySelectorAll("[data-poll-pause]")) {
    button.textContent = quiet ? "Resume updates" : "Pause updates";
  }
};
on(document, "htmx:beforeRequest", (event) => {
  if (!event.detail.elt.matches("[data-poll]")) return;
  if (quiet || document.hidden || document.querySelector("dialog[open]")) event.preventDefault();
});
on(document, "htmx:afterSettle", showQuiet);
on(document, "click", (event) => {
  if (!event.target.closest?.("[data-poll-pause]")) return;
  quiet = !quiet;
  showQuiet();
});

/* Ctrl or Command and Enter send a long text, where Enter itself is a new line. */
on(document, "keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
  if (event.target.matches?.("[data-ctrl-enter] textarea")) event.target.form.requestSubmit();
});

/* One box for all boxes of a list. */
on(document, "change", (event) => {
  const name = event.target.dataset?.selectAll ?? event.target.name;
  const all = name && document.querySelector(`[data-select-all="${CSS.escape(name)}"]`);
  if (!all) return;
  const boxes = [...document.querySelectorAll(`input[type=checkbox][name="${CSS.escape(name)}"]`)];
  if (event.target === all) for (const box of boxes) box.checked = all.checked;
  const chosen = boxes.filter((box) => box.checked).length;
  all.checked = boxes.length > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
});

/* Shortcuts: never in a field or a dialog, and they can be switched off. */
const shortcuts = byId("shortcuts");
const shortcutSwitch = byId("shortcuts-on");
let areShortcutsOn = true;
try { areShortcutsOn = localStorage.getItem("shortcuts") !== "off"; } catch { /* Storage is not allowed: on. */ }
if (shortcutSwitch) {
  shortcutSwitch.checked = areShortcutsOn;
  on(shortcutSwitch, "change", () => {
    areShortcutsOn = shortcutSwitch.checked;
    try { localStorage.setItem("shortcuts", areShortcutsOn ? "on" : "off"); } catch { /* For this page only. */ }
  });
}
let leader = 0;
on(document, "keydown", (event) => {
  if (!areShortcutsOn || !shortcuts || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.target.closest?.("input, select, textarea, [contenteditable]")) return;
  const afterLeader = event.timeStamp - leader < 1500;
  leader = 0;
  if (event.key === "?") shortcuts.showModal();
  else if (event.key === "/") document.querySelector("main input[type=search]")?.focus();
  else if (event.key === "g" && !afterLeader) leader = event.timeStamp;
  else if (afterLeader) document.querySelector(`.nav a[data-keys="g ${CSS.escape(event.key)}"]`)?.click();
  else return;
  event.preventDefault();
});
