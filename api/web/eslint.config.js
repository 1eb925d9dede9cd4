// Rules by name and nothing imported, because the packages lie outside of this folder.
const browser = [
  "window", "document", "navigator", "location", "history", "fetch", "URL", "URLSearchParams", "AbortController", "Intl",
  "matchMedia", "requestAnimationFrame", "performance", "setTimeout", "clearTimeout", "console", "CSS", "HTMLElement", "Node", "Event",
  "CustomEvent", "ResizeObserver", "IntersectionObserver", "CSSStyleSheet", "HTMLScriptElement", "DOMParser", "customElements",
  "queueMicrotask", "FormData", "L",
];
const dangerous = ["innerHTML", "outerHTML", "insertAdjacentHTML", "write", "writeln"];

export default [
  {
    files: ["js/**/*.js"],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "module",
      globals: Object.fromEntries(browser.map((name) => [name, "readonly"])),
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-use-before-define": ["error", { functions: false, classes: false }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-script-url": "error",
      "no-console": ["error", { allow: ["warn"] }],
      "no-shadow": "error",
      "no-unreachable": "error",
      "no-fallthrough": "error",
      "no-self-assign": "error",
      "no-dupe-keys": "error",
      "no-unsafe-finally": "error",
      "no-constant-condition": "error",
      "no-promise-executor-return": "error",
      "prefer-const": "error",
      "no-var": "error",
      eqeqeq: "error",
      // What comes out of the data is text, never markup.
      "no-restricted-properties": [
        "error",
        ...dangerous.map((property) => ({ property, message: "Make nodes, with textContent." })),
      ],
    },
  },
];
