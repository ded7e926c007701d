/* A button with data-copy puts its text on the clipboard and says so. */
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  let text = "Copied.";
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    text = "Your browser does not allow copying here. Select the text instead.";
  }
  document.dispatchEvent(new CustomEvent("toast", { detail: { text } }));
});
