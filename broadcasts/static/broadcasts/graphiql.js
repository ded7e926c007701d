/* GraphiQL, in the look of this page and with its examples.

   It is signed in as the person who looks at it; requests carry the token that proves
   where they come from. What is typed stays in this browser, under the person. */

const place = document.getElementById("graphiql");
const start = document.getElementById("graphiql-start");
const examples = JSON.parse(document.getElementById("graphiql-examples").textContent);
const { createElement, useEffect } = React;

/* The menus and dialogs of GraphiQL hold the page still by a style sheet of their own.
   The policy of the page knows it by this number, and nothing else that is inline. */
globalThis.__webpack_nonce__ = start.nonce;

const fetcher = GraphiQL.createFetcher({
  url: place.dataset.url,
  headers: { "X-CSRFToken": place.dataset.token },
});
const storage = GraphiQL.createLocalStorage({ namespace: `graphiql-${place.dataset.owner}` });

/* Whatever the switch of the page says, and the system where it says nothing. */
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");

let editors;
function Bridge() {
  const found = GraphiQL.React.useEditorContext({ nonNull: true });
  useEffect(() => { editors = found; });
  return null;
}

const typed = (editor) => editor?.getValue().trim() ?? "";
const isOurs = (text) => !text || examples.some((one) => one.query.trim() === text);

/* In a tab of its own, unless the present one holds nothing that somebody wrote. */
function show(name) {
  const example = examples.find((one) => one.name === name);
  if (!editors?.queryEditor || !example) return false;
  if (!isOurs(typed(editors.queryEditor))) editors.addTab();
  setTimeout(() => {
    editors.queryEditor.setValue(example.query);
    editors.variableEditor?.setValue(example.variables);
    editors.queryEditor.focus();
  });
  return true;
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest?.("a[data-example]");
  if (!chip || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (show(chip.dataset.example)) event.preventDefault();
});

const [first] = examples;
const root = ReactDOM.createRoot(place);
const draw = () => root.render(createElement(
  GraphiQL,
  {
    fetcher,
    storage,
    forcedTheme: theme(),
    defaultQuery: first.query,
    defaultTabs: [{ query: first.query, variables: first.variables }],
    defaultEditorToolsVisibility: "variables",
    showPersistHeadersSettings: false,
    shouldPersistHeaders: false,
  },
  createElement(GraphiQL.Logo, null, createElement(Bridge)),
));
place.replaceChildren();
draw();
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
dark.addEventListener("change", draw);

/* An example that the address names is shown once the editors are there. */
if (place.dataset.example) {
  const wait = setInterval(() => { if (show(place.dataset.example)) clearInterval(wait); }, 50);
}
