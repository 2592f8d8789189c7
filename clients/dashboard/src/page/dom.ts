type Child = Node | string;

/** Makes an element: attributes by their names, `class` among them, and what is in it. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Sets a text if it differs, so that nothing is laid out anew for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A choice of words; `onPick` gets the chosen value. */
export function choice(
  label: string,
  onPick: (value: string) => void,
): {
  readonly element: HTMLSelectElement;
  set(options: readonly (readonly [string, string])[], value: string): void;
} {
  const element = el("select", { "aria-label": label });
  let shown = "";
  element.addEventListener("change", () => onPick(element.value));
  return {
    element,
    set(options, value) {
      const key = JSON.stringify(options);
      if (key !== shown) {
        element.replaceChildren(...options.map(([id, text]) => el("option", { value: id }, text)));
        shown = key;
      }
      element.value = value;
    },
  };
}

/** A panel with a heading that says what it is, and a place for its controls. */
export function panel(id: string, title: string, ...controls: readonly Child[]) {
  const body = el("div", { class: "panel-body" });
  const head = el("header", { class: "panel-head" }, el("h2", {}, title), ...controls);
  const element = el("section", { class: `panel panel-${id}`, "aria-label": title }, head, body);
  return { element, body, head };
}

/** The size of an element's inside, kept up to date: asking the page for it lays it out anew. */
export function watchSize(
  element: Element,
  onChange: () => void,
): { width: number; height: number } {
  const size = { width: 0, height: 0 };
  new ResizeObserver((entries) => {
    const box = entries.at(-1)?.contentRect;
    if (box === undefined) return;
    size.width = box.width;
    size.height = box.height;
    onChange();
  }).observe(element);
  return size;
}
