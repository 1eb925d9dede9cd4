// The search box: suggestions as one types, after WAI-ARIA's editable combobox with a list. Without this module the form
// leads to the page of results, and so does Enter while nothing is chosen. Names are text nodes, never HTML.

import { sendForms } from "./forms.js";

const data = JSON.parse(document.getElementById("search-texts").textContent);
const lang = document.documentElement.lang;
const plurals = new Intl.PluralRules(lang);
/** Letters from which there are suggestions, how many there are, and milliseconds of rest before they are asked for. */
const LEAST = 2;
const LIMIT = 8;
const REST = 140;

/** Makes an element; children are nodes, or strings that become text. */
function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Cuts a name where its highlighted parts begin and end, which are counted in characters. */
function marked(text, parts) {
  const letters = [...text];
  const made = make("bdi", {});
  let at = 0;
  for (const [start, end] of [...(parts ?? [])].sort((a, b) => a[0] - b[0])) {
    if (start < at) continue;
    made.append(letters.slice(at, start).join(""), make("mark", {}, letters.slice(start, end).join("")));
    at = end;
  }
  made.append(letters.slice(at).join(""));
  return made;
}

/** Returns a thing's page on this host; its address may name the service's public one. */
function pageOf({ properties }) {
  const address = new URL(properties.url, window.location.href);
  address.searchParams.set("f", "html");
  address.searchParams.set("lang", lang);
  return address.pathname + address.search;
}

class SearchBox {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector("input[type=search]");
    this.found = [];
    this.active = -1;
    const id = `${this.input.id}-list`;
    this.list = make("ul", { role: "listbox", id, "aria-label": data.box.list });
    this.note = make("p", { role: "status" });
    this.popup = make("div", { class: "suggestions" }, this.list, this.note);
    this.note.className = "visually-hidden";
    this.list.hidden = true;
    form.append(this.popup);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id, "aria-haspopup": "listbox" })) {
      this.input.setAttribute(name, value);
    }
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.pressed(event));
    this.input.addEventListener("focusout", () => this.close());
    this.input.addEventListener("click", () => this.open());
    // The focus stays in the box, so that the list does not close under the finger.
    this.popup.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.choose([...this.list.children].indexOf(option));
    });
    form.addEventListener("submit", (event) => {
      if (!this.input.value.trim()) event.preventDefault();
      this.forget();
    });
  }

  /** Drops what was asked for and not answered yet. */
  forget() {
    clearTimeout(this.timer);
    this.asked?.abort();
  }

  typed() {
    this.forget();
    this.activate(-1);
    const text = this.input.value.trim();
    if (text.length < LEAST) {
      this.show([]);
      this.say("");
      return;
    }
    this.timer = setTimeout(() => this.ask(text), REST);
  }

  async ask(text) {
    const asked = new AbortController();
    this.asked = asked;
    const query = new URLSearchParams({ q: text, lang, limit: LIMIT, f: "json" });
    try {
      const response = await fetch(`${this.form.action}?${query}`, { signal: asked.signal, headers: { Accept: "application/geo+json" } });
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const { features } = await response.json();
      if (this.asked !== asked || asked.signal.aborted) return;
      this.show(features);
      const count = features.length;
      if (count) this.say((data.box.found[plurals.select(count)] ?? data.box.found.other).replace("{count}", count));
      else this.say(data.box.nothing, true);
    } catch (error) {
      if (error.name === "AbortError" || this.asked !== asked) return;
      this.show([]);
      this.say(navigator.onLine ? data.box.failed : data.box.offline, true);
    }
  }

  /** Says something to screen readers, and to everybody when there is no list to be seen. */
  say(text, seen = false) {
    this.note.textContent = text;
    this.note.className = seen ? "message" : "visually-hidden";
  }

  show(features) {
    this.found = features;
    this.list.replaceChildren(...features.map(({ properties }, index) => {
      const { name, matched, highlight, kind, category, district } = properties;
      const also = matched !== name && kind !== "coordinates";
      const under = make("span", { class: "under" }, category ?? data.kinds[kind] ?? "");
      if (district) under.append(" · ", make("bdi", {}, district));
      if (also) under.append(" · ", marked(matched, highlight));
      return make("li", { role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false", "data-kind": kind },
        make("span", { class: "what" }, also || kind === "coordinates" ? marked(name) : marked(name, highlight)), under);
    }));
    this.open();
  }

  open() {
    const open = this.found.length > 0 && document.activeElement === this.input;
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (!open) this.activate(-1);
  }

  close() {
    this.forget();
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.activate(-1);
    this.say("");
  }

  activate(index) {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const option = this.list.children[index];
    if (!option) {
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  pressed(event) {
    const { key } = event;
    // Enter and arrows that compose a letter are not ours.
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const shown = !this.list.hidden;
    if (key === "ArrowDown" || key === "ArrowUp") {
      if (!this.found.length) return;
      event.preventDefault();
      if (event.altKey && key === "ArrowUp") this.close();
      else {
        this.open();
        if (!event.altKey) this.move(key === "ArrowDown" ? 1 : -1);
      }
    } else if (key === "Enter" && shown && this.active >= 0) {
      event.preventDefault();
      this.choose(this.active);
    } else if (key === "Escape" && (shown || this.note.className === "message")) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (key === "Escape" && this.input.value) {
      event.preventDefault();
      event.stopPropagation();
      this.input.value = "";
      this.typed();
    } else if (["Home", "End", "ArrowLeft", "ArrowRight"].includes(key)) this.activate(-1);
  }

  /** Goes down or up the list and, past its ends, back into the box. */
  move(by) {
    const places = this.found.length + 1;
    this.activate(((this.active + 1 + by + places) % places) - 1);
  }

  /** Goes to what was chosen, unless the page shows it itself, as the map does. */
  choose(index) {
    const feature = this.found[index];
    this.input.value = feature.properties.name;
    this.close();
    const event = new CustomEvent("search-choice", { bubbles: true, cancelable: true, detail: feature });
    if (this.input.dispatchEvent(event)) window.location.assign(pageOf(feature));
  }
}

for (const form of document.querySelectorAll("form[data-suggest]")) new SearchBox(form);
sendForms();
if (document.querySelector("a[data-file]")) import("./files.js").then(({ tellOfFiles }) => tellOfFiles(data["no-saving"]));
