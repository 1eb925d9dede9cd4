// Links to files in a tab that was opened from a map in another site's frame: the tab has the frame's sandbox, in which the
// browser saves no file, without an event or a word. What it would do is said by a script then.

/** Tells whether the browser sends no form here, without a word even to the form: only a sandbox does that. */
function isSandboxed() {
  const form = document.createElement("form");
  form.hidden = true;
  form.noValidate = true;
  let sent = false;
  form.addEventListener("submit", (event) => {
    sent = true;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  document.body.append(form);
  form.requestSubmit();
  form.remove();
  return !sent;
}

/** Has links to files say, where the browser saves none, where else they can be opened; `text` is what is said. */
export function tellOfFiles(text) {
  const said = document.createElement("p");
  said.className = "notice";
  said.setAttribute("role", "alert");
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-file]");
    if (!link || !isSandboxed()) return;
    const address = document.createElement("bdi");
    address.dir = "ltr";
    address.textContent = link.href;
    said.replaceChildren(`${text} `, address);
    // What is put in is said anew.
    (link.closest("ul, p") ?? link).after(said);
    said.scrollIntoView({ block: "nearest" });
  });
}
