// The page where a widget is put together. Without this it is a form that the service answers; with it the same answer
// comes at every change, and its parts take the place of those before.

const form = document.getElementById("choices");
const copy = document.getElementById("copy");
const said = document.getElementById("said");
const height = form.elements.height;
const mistake = document.getElementById("height-wrong");
/** Parts of the page that depend on what is chosen. */
const PARTS = ["code", "origins", "frame-code", "oembed-address"];
let asked = null;
/** The height of the code: what is asked for while the field has a mistake, so that the other choices are still followed. */
let good = height.value;
/** What is under way; copying waits for it. */
let pending = Promise.resolve();

function replace(found, id) {
  document.getElementById(id).replaceWith(document.adoptNode(found.getElementById(id)));
}

/** Says at the field what is wrong, and gives no code meanwhile: none would be what the form says. Answers come `fresh`. */
function check(fresh) {
  const right = height.validity.valid;
  if (right) good = height.value;
  mistake.hidden = right;
  height.setAttribute("aria-invalid", String(!right));
  height.setAttribute("aria-describedby", right ? "width-note" : "height-wrong width-note");
  copy.disabled = !right;
  for (const id of ["code", "frame-code"]) if (fresh || !right) document.getElementById(id).hidden = !right;
  said.textContent = right ? "" : copy.dataset.wrong;
}

async function update() {
  check(false);
  asked?.abort();
  asked = new AbortController();
  const address = new URL(form.action);
  const chosen = new FormData(form);
  chosen.set("height", good);
  address.search = new URLSearchParams(chosen);
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
    check(true);
  } catch (error) {
    // What the page cannot bring, the form does.
    if (error.name !== "AbortError" && height.validity.valid) form.submit();
  }
}

function change() {
  pending = update();
}

async function copyCode() {
  await pending;
  if (copy.disabled) return;
  const code = document.querySelector("#code code");
  try {
    await navigator.clipboard.writeText(code.textContent);
    said.textContent = copy.dataset.copied;
  } catch {
    window.getSelection().selectAllChildren(code);
    said.textContent = copy.dataset.failed;
  }
}

form.addEventListener("change", change);
height.addEventListener("input", () => !mistake.hidden && height.validity.valid && change());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  change();
});
copy.addEventListener("click", copyCode);
copy.hidden = false;
document.getElementById("update").parentElement.hidden = true;
