import { el } from "./dom.ts";

/** A button that opens what is below it; a press elsewhere or Escape closes it. */
export function menu(name: string, label: string, title: string, ...content: readonly Node[]) {
  const summary = el("summary", { class: "tool", title }, label);
  const element = el(
    "details",
    { class: `menu ${name}-menu` },
    summary,
    el("div", { class: "menu-body" }, ...content),
  );
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !element.open) return;
    event.stopPropagation();
    element.open = false;
    summary.focus();
  });
  element.addEventListener("toggle", () => {
    const page = element.ownerDocument;
    const close = ({ target }: Event): void => {
      if (element.contains(target as Node)) return;
      element.open = false;
    };
    if (!element.open) return;
    page.addEventListener("pointerdown", close);
    element.addEventListener("toggle", () => page.removeEventListener("pointerdown", close), {
      once: true,
    });
  });
  return element;
}
