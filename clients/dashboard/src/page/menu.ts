import { el } from "./dom.ts";

/**
 * A button that opens what is below it; a press elsewhere or Escape closes it, and so does a button
 * in it that has done what it is for (class `ends-menu`).
 */
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
  element.addEventListener("click", ({ target }) => {
    if ((target as HTMLElement).closest(".ends-menu") !== null) element.open = false;
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
