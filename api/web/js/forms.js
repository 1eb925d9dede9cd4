// Forms in a tab that was opened from a map in another site's frame: the tab has the frame's sandbox, which lets no form be
// sent, without an event or a word. What the browser would have done is done by a script then.

/** Has forms that ask (GET) lead to their answer where the browser does not send them. */
export function sendForms() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button, input");
    const form = button?.form;
    // Enter in a field is a click on the form's button too.
    if (button?.type !== "submit" || form?.method !== "get") return;
    let sent = false;
    const note = () => {
      sent = true;
    };
    form.addEventListener("submit", note, { capture: true, once: true });
    setTimeout(() => {
      form.removeEventListener("submit", note, { capture: true });
      // A form with a mistake has not been sent either, and the browser has said so.
      if (sent || event.defaultPrevented || !form.isConnected || !form.matches(":valid")) return;
      if (!form.dispatchEvent(new window.SubmitEvent("submit", { bubbles: true, cancelable: true, submitter: button }))) return;
      const address = new URL(form.action);
      address.search = new URLSearchParams(new FormData(form, button));
      window.location.assign(address);
    });
  });
}
