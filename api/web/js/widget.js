// The element <casa-map> for pages of other sites: a frame with a map, told and asked by messages. It stands alone: no
// other file, no inline style, nothing of the page's is read. What is released as a version never changes, as pages may
// name its hash; a change gets a new number, and the file as it was is kept as widget-<version>.js.
(() => {
  const VERSION = "1.2.0";
  /** Version of the messages, which maps of later versions of the service still understand. */
  const PROTOCOL = 1;
  /** The same as in api/locale; a test compares. */
  const TEXTS = {
    fr: {
      loading: "Chargement de la carte…",
      frame: "Carte interactive",
      failed: "La carte ne peut pas s'afficher ici pour le moment.",
      open: "Ouvrir la carte dans un nouvel onglet",
      all: "Voir toutes les cartes",
      retry: "Réessayer",
      "same-origin": "Cette carte ne peut pas être intégrée à une page servie par la même adresse qu'elle : elle n'y serait pas isolée. Servez la page depuis une autre adresse.",
      "no-map": "Aucune carte n'est indiquée : ajoutez l'attribut « map ».",
      gone: "La carte n'est plus dans la page, ou a été rechargée.",
      late: "La carte n'a pas répondu à temps.",
      "bad-view": "Il faut une latitude, une longitude et un zoom en nombres, par exemple : { lat: 33.59, lon: -7.62, zoom: 14 }.",
      "bad-text": "Il faut un texte, ou null.",
    },
    ar: {
      loading: "جارٍ تحميل الخريطة…",
      frame: "خريطة تفاعلية",
      failed: "يتعذر عرض الخريطة هنا في الوقت الحالي.",
      open: "فتح الخريطة في علامة تبويب جديدة",
      all: "عرض كل الخرائط",
      retry: "إعادة المحاولة",
      "same-origin": "لا يمكن إدراج هذه الخريطة في صفحة تُقدَّم من العنوان نفسه، لأنها لن تكون معزولة فيها. قدّموا الصفحة من عنوان آخر.",
      "no-map": "لم تُحدَّد أي خريطة: أضيفوا الخاصية «map».",
      gone: "لم تعد الخريطة في الصفحة، أو أعيد تحميلها.",
      late: "لم تستجب الخريطة في الوقت المناسب.",
      "bad-view": "يلزم خط عرض وخط طول ومستوى تكبير بالأرقام، مثلا: { lat: 33.59, lon: -7.62, zoom: 14 }.",
      "bad-text": "يلزم نص أو null.",
    },
  };
  // An element of the page's can take this property's name, so what it is gets looked at.
  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement) || !script.src || customElements.get("casa-map")) return;
  const source = new URL(script.src);
  const ORIGIN = source.origin;
  const SERVICE = ORIGIN + source.pathname.replace(/\/widget(\/[^/]*)?\.js$/, "");

  /** Milliseconds: until a map must be there, until one must answer once its page is, until a call must be answered. */
  const SLOW = 20_000;
  const SILENT = 2_500;
  const CALL = 15_000;
  /** Attributes whose change loads the map anew, and those that it takes as it is. */
  const LOADS = ["map", "lang", "district", "time", "theme", "colour"];
  const TAKEN = ["view", "layers", "filter"];
  /** What attributes must look like to be asked for. */
  const VIEW = /^(\d{1,2}(?:\.\d+)?)\/(-?\d{1,2}(?:\.\d+)?)\/(-?\d{1,3}(?:\.\d+)?)$/;
  const FORMS = { colour: /^#([0-9a-f]{3}){1,2}$/i, theme: /^(light|dark|auto)$/, view: VIEW, time: /^\d{4}-(0[1-9]|1[0-2])(-[0-3]\d)?$/ };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { --p: #fff; --i: #17242b; --s: #51626b; --l: #d5dcdd; --a: #0f5c63; display: block; position: relative; min-width: 0; }
    :host([hidden]) { display: none; }
    :host([theme="dark"]) { --p: #161c20; --i: #e7eded; --s: #a5b4b8; --l: #36434a; --a: #7fd0d3; }
    @media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { --p: #161c20; --i: #e7eded; --s: #a5b4b8; --l: #36434a; --a: #7fd0d3; } }
    .box { position: relative; box-sizing: border-box; width: 100%; height: clamp(20rem, 70vh, 34rem); overflow: hidden; border: 1px solid var(--l); border-radius: 12px; background: var(--p); color: var(--i); }
    iframe { display: block; width: 100%; height: 100%; border: 0; }
    .said { position: absolute; inset: 0; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 12px; padding: 20px; background: var(--p); font: 400 1rem/1.55 system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif; text-align: center; }
    .said[hidden] { display: none; }
    .said p { max-width: 34rem; margin: 0; color: var(--s); text-wrap: balance; }
    .failed p { color: var(--i); }
    .said :is(a, button) { box-sizing: border-box; min-height: 44px; padding: 9px 20px; border: 1px solid var(--a); border-radius: 10px; background: transparent; color: var(--a); font: inherit; font-weight: 600; text-decoration: none; cursor: pointer; }
    .said a { background: var(--a); color: var(--p); }
    :focus-visible { outline: 3px solid #c2410c; outline-offset: 2px; }
    @media (forced-colors: active) { .box { border-color: CanvasText; } }
  `);

  const make = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };
  const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
  const text = (value) => (typeof value === "string" ? value.slice(0, 500) : null);
  const view = (value) => {
    const { zoom, lat, lon, bbox } = value ?? {};
    if (![zoom, lat, lon].every(isNumber)) return null;
    return { zoom, lat, lon, bbox: Array.isArray(bbox) ? bbox.filter(isNumber).slice(0, 4) : [] };
  };
  /** What of a message becomes an event's detail: plain values of the kinds that are known, and nothing else. */
  const DETAILS = {
    ready: (data) => ({ map: text(data.map), lang: text(data.lang), title: text(data.title), layers: Array.isArray(data.layers) ? data.layers.map(text).slice(0, 100) : [], view: view(data.view) }),
    select: (data) => ({ layer: text(data.layer), id: text(data.id), name: text(data.name) }),
    view,
  };

  class CasaMap extends HTMLElement {
    static observedAttributes = [...LOADS, ...TAKEN, "height"];

    static version = VERSION;

    #box = make("div", { class: "box", part: "box" });
    #said = make("div", { class: "said" });
    #frame = null;
    #watcher = null;
    #timer = 0;
    #state = "idle";
    #why = "";
    #calls = new Map();
    #waiting = [];
    #number = 0;
    #changed = new Set();

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      this.#box.append(this.#said);
      root.append(this.#box);
    }

    connectedCallback() {
      window.addEventListener("message", this.#hear);
      this.#size();
      this.#begin();
    }

    disconnectedCallback() {
      window.removeEventListener("message", this.#hear);
      this.#end();
    }

    attributeChangedCallback(name, before, after) {
      if (before === after || !this.isConnected || this.#state === "idle") return;
      if (name === "height") {
        this.#size();
        return;
      }
      // Several attributes that are set in one go change the map once.
      if (!this.#changed.size) queueMicrotask(() => this.#apply());
      this.#changed.add(name);
    }

    /** Moves the map: { lat, lon, zoom } in degrees (WGS 84); a zoom that is left out stays. */
    flyTo(place) {
      const { lat, lon, zoom = null } = place ?? {};
      if (![lat, lon, zoom ?? 0].every(isNumber) || Math.abs(lat) > 85 || Math.abs(lon) > 180) return this.#refuse("bad-view", TypeError);
      return this.#call("flyTo", { lat, lon, zoom });
    }

    /** Opens the card of a feature, "layer/id"; null closes it. */
    select(key) {
      return key === null || typeof key === "string" ? this.#call("select", { key }) : this.#refuse("bad-text", TypeError);
    }

    /** Shows only the features that a filter in CQL2 text chooses, of the layers that have its fields; null shows all. */
    setFilter(filter) {
      return filter === null || typeof filter === "string" ? this.#call("setFilter", { filter: filter || null }) : this.#refuse("bad-text", TypeError);
    }

    get #lang() {
      let said = navigator.language;
      // Around the element, and around what holds it: a shadow tree has the language of the page outside of it.
      for (let node = this; node; node = node.getRootNode().host) {
        const found = node.closest("[lang]");
        if (found) {
          said = found.getAttribute("lang");
          break;
        }
      }
      return /^ar\b/i.test(said) ? "ar" : "fr";
    }

    #text(key) {
      return TEXTS[this.#lang][key];
    }

    #refuse(key, Kind = Error) {
      return Promise.reject(new Kind(this.#text(key)));
    }

    #address(kind) {
      const address = new URL(`${SERVICE}/${kind}/${encodeURIComponent(this.getAttribute("map"))}`);
      address.searchParams.set("lang", this.#lang);
      for (const name of ["district", "time", ...TAKEN, ...(kind === "embed" ? ["theme", "colour"] : [])]) {
        const value = this.getAttribute(name)?.trim();
        if (!value || (kind === "maps" && name === "filter")) continue;
        if (FORMS[name] && !FORMS[name].test(value)) console.warn(`<casa-map> ${name}="${value}" ?`);
        else address.searchParams.set(name, name === "colour" && value.length === 4 ? value.replace(/[^#]/g, "$&$&") : value);
      }
      return address.href;
    }

    #size() {
      const height = this.getAttribute("height")?.trim() ?? "";
      this.#box.style.height = /^\d{1,4}(\.\d+)?$/.test(height) ? `${height}px` : height;
    }

    /** Waits until the page's reader comes near, then loads the map; a frame that is lazy by itself would not load for a call. */
    #begin() {
      this.#end();
      this.#state = "waiting";
      if (!this.getAttribute("map")) return this.#say("no-map");
      if (ORIGIN === window.location.origin) return this.#say("same-origin", this.#address("maps"));
      this.#say("loading");
      this.#watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && this.#load(), { rootMargin: "300px" });
      this.#watcher.observe(this);
      return undefined;
    }

    #load() {
      this.#watcher?.disconnect();
      const frame = make("iframe", { sandbox: "allow-scripts allow-same-origin allow-popups", allow: "fullscreen; geolocation; clipboard-write", referrerpolicy: "strict-origin-when-cross-origin", title: this.#text("frame"), part: "frame" });
      frame.addEventListener("load", () => {
        frame.contentWindow.postMessage({ casamaps: PROTOCOL, type: "hello" }, ORIGIN);
        // A page that was refused, or is none of the service's, has loaded as well, and says nothing.
        if (this.#state === "loading") this.#limit(SILENT);
      });
      frame.src = this.#address("embed");
      this.#state = "loading";
      this.#limit(SLOW);
      this.#frame = frame;
      this.#box.prepend(frame);
    }

    #limit(time) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#fail(), time);
    }

    #fail(message = this.#text("failed"), missing = false) {
      clearTimeout(this.#timer);
      this.#state = "failed";
      this.#why = message;
      this.#say("failed", missing ? `${SERVICE}/maps?lang=${this.#lang}&f=html` : this.#address("maps"), message, missing);
      this.#drop(message);
    }

    /** Ends the frame and all that waits for it. */
    #end() {
      clearTimeout(this.#timer);
      this.#watcher?.disconnect();
      this.#frame?.remove();
      this.#frame = null;
      this.#state = "idle";
      this.#drop(this.#text("gone"));
    }

    #drop(message) {
      const calls = [...this.#calls.values()];
      this.#calls.clear();
      this.#waiting = [];
      for (const call of calls) call(new Error(message));
    }

    /** Says in the map's place why it is not there; what has failed comes with the way to the map, or, if there is none, to those there are. */
    #say(key, address = null, message = this.#text(key), missing = false) {
      const lang = this.#lang;
      const parts = [make("p", { role: "status" }, message)];
      if (address) parts.push(make("a", { href: address, target: "_blank", rel: "noopener" }, this.#text(missing ? "all" : "open")));
      // Another try brings no map that is not there.
      if (this.#state === "failed" && !missing) {
        const retry = make("button", { type: "button" }, this.#text("retry"));
        retry.addEventListener("click", () => this.#begin());
        parts.push(retry);
      }
      this.#said.lang = lang;
      this.#said.dir = lang === "ar" ? "rtl" : "ltr";
      this.#said.hidden = false;
      this.#said.className = key === "loading" ? "said" : "said failed";
      this.#said.replaceChildren(...parts);
      // What lies behind the message is out of reach for keys too.
      if (this.#frame) this.#frame.inert = key !== "loading";
      if (key !== "loading") console.warn(`<casa-map> ${message}`);
    }

    #apply() {
      const changed = [...this.#changed];
      this.#changed.clear();
      if (!this.isConnected) return;
      if (this.#state !== "ready" || changed.some((name) => LOADS.includes(name))) {
        this.#begin();
        return;
      }
      const report = (error) => console.warn(`<casa-map> ${error.message}`);
      if (changed.includes("filter")) this.setFilter(this.getAttribute("filter")).catch(report);
      if (changed.includes("layers")) this.#call("layers", { layers: this.getAttribute("layers")?.split(",") ?? null }).catch(report);
      const found = changed.includes("view") && VIEW.exec(this.getAttribute("view") ?? "");
      if (found) this.flyTo({ zoom: Number(found[1]), lat: Number(found[2]), lon: Number(found[3]) }).catch(report);
    }

    #call(type, values) {
      // What attributes have been set to comes first, all of it, as it may bring another map.
      if (this.#changed.size) return Promise.resolve().then(() => this.#call(type, values));
      if (this.#state === "failed") return Promise.reject(new Error(this.#why));
      if (!this.isConnected || !this.getAttribute("map") || ORIGIN === window.location.origin) return this.#refuse("gone");
      this.#number += 1;
      const id = this.#number;
      const message = { casamaps: PROTOCOL, type, id, ...values };
      return new Promise((resolve, reject) => {
        let timer = 0;
        this.#calls.set(id, (error) => {
          window.clearInterval(timer);
          this.#calls.delete(id);
          if (error) reject(error);
          else resolve();
        });
        const send = () => {
          // A map in a hidden part of the page keeps its calls until it is seen.
          timer = window.setInterval(() => this.#box.offsetWidth && this.#calls.get(id)?.(new Error(this.#text("late"))), CALL);
          this.#frame.contentWindow.postMessage(message, ORIGIN);
        };
        // A call ahead of the map is kept for it; a map that lies below the page is loaded for it.
        if (this.#state === "ready") send();
        else this.#waiting.push(send);
        if (this.#state === "waiting") this.#load();
      });
    }

    #hear = (event) => {
      const { data } = event;
      if (!this.#frame || event.source !== this.#frame.contentWindow || event.origin !== ORIGIN) return;
      if (typeof data !== "object" || data?.casamaps !== PROTOCOL) return;
      if (data.type === "problem") this.#fail(text(data.message) ?? undefined, data.missing === true);
      else if (data.type === "answer") this.#calls.get(data.id)?.(data.error === null ? null : new Error(text(data.error) ?? ""));
      else if (Object.hasOwn(DETAILS, data.type)) this.#tell(data);
    };

    #tell(data) {
      const detail = DETAILS[data.type](data);
      if (data.type === "ready") {
        clearTimeout(this.#timer);
        this.#state = "ready";
        this.#said.hidden = true;
        this.#said.replaceChildren();
        this.#frame.inert = false;
        if (detail.title) this.#frame.title = detail.title;
        for (const send of this.#waiting.splice(0)) send();
      }
      if (detail) this.dispatchEvent(new CustomEvent(data.type, { detail }));
    }
  }

  customElements.define("casa-map", CasaMap);
})();
