/* Inside the frame of another product: tells the page around it how high it is. */
const root = document.documentElement;
root.dataset.js = "";

/* Only the origins of the settings learn it; where the browser names the page
   around, only that one is spoken to. */
const origins = document.body.dataset.hostOrigins.split(" ").filter(Boolean);
const around = location.ancestorOrigins?.[0];
const targets = around ? origins.filter((origin) => origin === around) : origins;
const tell = () => {
  const resendAdminHeight = Math.ceil(document.body.getBoundingClientRect().height);
  for (const target of targets) parent.postMessage({ resendAdminHeight }, target);
};
if (parent !== window) new ResizeObserver(tell).observe(document.body);

/* What copy.js has to say. */
document.addEventListener("toast", (event) => {
  const note = document.createElement("p");
  note.className = "toast";
  note.textContent = event.detail.text;
  document.getElementById("toasts").replaceChildren(note);
  setTimeout(() => note.remove(), 8000);
});

/* A control that is off says why, and does nothing. */
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[aria-disabled=true]")) event.preventDefault();
}, { capture: true });
