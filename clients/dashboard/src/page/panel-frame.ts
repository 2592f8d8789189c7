import type { PlacedLeaf } from "../layout/layout-rects.ts";
import type { PanelId } from "../layout/layout-tree.ts";
import { el } from "./dom.ts";

/** Moving less than this is a click. */
const DRAG_PX_MIN = 6;

type FrameEvents = {
  readonly onShow: (panel: PanelId) => void;
  readonly onMaximise: (panel: PanelId) => void;
  /** In pixels of the window. */
  readonly onDrag: (panel: PanelId, x: number, y: number) => void;
  readonly onDrop: (panel: PanelId, x: number, y: number) => void;
  readonly onCancel: () => void;
  readonly onKey: (panel: PanelId, event: KeyboardEvent) => void;
};

/** The heading of a panel: what it is called, the tabs of its place, and a grip to move it by. */
export class PanelFrame {
  readonly element: HTMLElement;
  readonly title: string;
  readonly #id: PanelId;
  readonly #head: HTMLElement;
  readonly #heading: HTMLElement;
  readonly #events: FrameEvents;
  readonly #grip: HTMLButtonElement;
  readonly #tabs = el("div", { class: "panel-tabs", role: "group", hidden: "" });
  #tabKey = "";

  constructor(id: PanelId, element: HTMLElement, events: FrameEvents) {
    this.#id = id;
    this.element = element;
    this.#events = events;
    this.#head = element.querySelector<HTMLElement>(".panel-head")!;
    this.#heading = element.querySelector<HTMLElement>("h2")!;
    this.title = this.#heading.textContent;
    const hint = "arrow keys move it, with Shift they join it to its neighbour, Enter enlarges it";
    this.#grip = el("button", {
      type: "button",
      class: "grip",
      "aria-label": `Move ${this.title}: ${hint}`,
      title: `Drag to move; ${hint}`,
    });
    this.#grip.addEventListener("keydown", (event) => events.onKey(id, event));
    this.#tabs.setAttribute("aria-label", "Panels of this place");
    this.#head.prepend(this.#grip, this.#tabs);
    this.#head.addEventListener("pointerdown", (event) => this.#press(event));
    this.#head.addEventListener("dblclick", ({ target }) => {
      if (target === this.#head || target === this.#heading) events.onMaximise(id);
    });
  }

  focus(): void {
    this.#grip.focus();
  }

  focusTab(): void {
    this.#tabs.querySelector<HTMLElement>("[aria-pressed=true]")?.focus();
  }

  /** Where the panel is; undefined if it has no place. */
  place(leaf: PlacedLeaf | undefined, titles: ReadonlyMap<PanelId, string>): void {
    this.element.hidden = leaf?.shown !== this.#id;
    if (leaf === undefined || this.element.hidden) return;
    const { style } = this.element;
    style.left = `${leaf.rect.left}px`;
    style.top = `${leaf.rect.top}px`;
    style.width = `${leaf.rect.width}px`;
    style.height = `${leaf.rect.height}px`;
    this.#drawTabs(leaf.panels, titles);
  }

  #drawTabs(panels: readonly PanelId[], titles: ReadonlyMap<PanelId, string>): void {
    const key = panels.join(" ");
    if (key === this.#tabKey) return;
    this.#tabKey = key;
    const isAlone = panels.length === 1;
    this.#heading.hidden = !isAlone;
    this.#tabs.hidden = isAlone;
    this.#tabs.replaceChildren(
      ...(isAlone ? [] : panels).map((id) => {
        const pressed = String(id === this.#id);
        const attributes = { type: "button", "data-panel": id, "aria-pressed": pressed };
        const button = el("button", attributes, titles.get(id) ?? id);
        button.addEventListener("click", () => this.#events.onShow(id));
        return button;
      }),
    );
  }

  /** A press on a tab or on the heading: a click, or the start of moving it. */
  #press(event: PointerEvent): void {
    const target = event.target as HTMLElement;
    const control = target.closest("button, select, input, label, a");
    const tab = target.closest<HTMLElement>("[data-panel]")?.dataset["panel"] as
      | PanelId
      | undefined;
    if (event.button !== 0 || (control !== null && tab === undefined && control !== this.#grip))
      return;
    const panel = tab ?? this.#id;
    const head = this.#head;
    let isMoving = false;
    const isEnough = (move: PointerEvent): boolean =>
      Math.hypot(move.clientX - event.clientX, move.clientY - event.clientY) > DRAG_PX_MIN;
    head.onpointermove = (move) => {
      if (!isMoving && !isEnough(move)) return;
      if (!isMoving) head.setPointerCapture(move.pointerId);
      isMoving = true;
      head.classList.add("is-moving");
      this.#events.onDrag(panel, move.clientX, move.clientY);
    };
    const end = (): void => {
      head.onpointermove = null;
      head.onpointerup = null;
      head.onpointercancel = null;
      head.classList.remove("is-moving");
    };
    head.onpointerup = (up) => {
      end();
      if (isMoving) this.#events.onDrop(panel, up.clientX, up.clientY);
    };
    head.onpointercancel = () => {
      end();
      this.#events.onCancel();
    };
  }
}
