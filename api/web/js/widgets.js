// The page where a widget is put together. Without this it is a form that the service answers; with it the same answer
// comes at every change, and its parts take the place of those before.

const form = document.getElementById("choices");
const copy = document.getElementById("copy");
const said = document.getElementById("said");
/** Parts of the page that depend on what is chosen. */
const PARTS = ["code", "origins", "frame-code", "oembed-address"];
let asked = null;

function replace(found, id) {
  document.getElementById(id).replaceWith(document.adoptNode(found.getElementById(id)));
}

async function update() {
  if (!form.checkValidity()) return;
  asked?.abort();
  asked = new AbortController();
  const address = new URL(form.action);
  address.search = new URLSearchParams(new FormData(form));
  try {
    const response = await fetch(address, { signal: asked.signal, headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const found = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const id of PARTS) replace(found, id);
    if (found.getElementById("of").value !== document.getElementById("of").value) {
      replace(found, "layers");
      replace(found, "of");
    }
    const [shown, next] = [document, found].map((page) => page.querySelector("#preview iframe"));
    shown.height = next.height;
    // Only an address that has changed makes the map load again.
    if (shown.getAttribute("src") !== next.getAttribute("src")) shown.contentWindow.location.replace(next.src);
    shown.setAttribute("data-src", next.getAttribute("src"));
    window.history.replaceState(null, "", address);
    for (const link of document.querySelectorAll(".languages a[hreflang]")) link.href = found.querySelector(`.languages a[hreflang="${link.hreflang}"]`).href;
    said.textContent = "";
  } catch (error) {
    // What the page cannot bring, the form does.
    if (error.name !== "AbortError") form.submit();
  }
}

async function copyCode() {
  const code = document.querySelector("#code code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    said.textContent = copy.dataset.copied;
  } catch {
    window.getSelection().selectAllChildren(code);
    said.textContent = copy.dataset.failed;
  }
}

form.addEventListener("change", update);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  update();
});
copy.addEventListener("click", copyCode);
copy.hidden = false;
document.getElementById("update").parentElement.hidden = true;
