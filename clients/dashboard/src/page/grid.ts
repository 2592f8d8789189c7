import {
  neighbourOf,
  placeLayout,
  zoneAt,
  zoneRect,
  type Placed,
  type PlacedBorder,
  type PlacedLeaf,
  type Rect,
} from "../layout/layout-rects.ts";
import {
  activate,
  addPanel,
  leaf,
  moveBorder,
  movePanel,
  PANEL_IDS,
  panelsOf,
  removePanel,
  type LayoutNode,
  type PanelId,
  type Zone,
} from "../layout/layout-tree.ts";
import { el } from "./dom.ts";
import { PanelFrame } from "./panel-frame.ts";

const GAP = 6;
const KEY_STEP_PX = 20;
/** What one panel after the other shows where there is no room for more, by its tab. */
export const NARROW_TABS: readonly (readonly [string, readonly PanelId[]])[] = [
  ["Markets", ["markets"]],
  ["Chart", ["chart", "depth", "heatmap"]],
  ["Book", ["book"]],
  ["Trades", ["trades"]],
  ["Venues", ["venues"]],
  ["Feeds", ["health"]],
];
const DIRECTIONS: ReadonlyMap<string, Exclude<Zone, "middle">> = new Map([
  ["ArrowLeft", "left"],
  ["ArrowRight", "right"],
  ["ArrowUp", "top"],
  ["ArrowDown", "bottom"],
]);

type Border = { readonly element: HTMLElement; placed: PlacedBorder };

/** Puts the panels where the layout says, and changes the layout as a reader moves things. */
export class Grid {
  readonly element = el("main", { class: "grid" });
  readonly #frames: ReadonlyMap<PanelId, PanelFrame>;
  readonly #onChange: (layout: LayoutNode) => void;
  readonly #onPlaced: () => void;
  readonly #drop = el("div", { class: "drop", hidden: "" });
  readonly #borders = new Map<string, Border>();
  #layout: LayoutNode;
  #placed: Placed = { leaves: [], borders: [] };
  #maximised: PanelId | undefined;
  #isNarrow = false;
  /** What is seen where there is room for one panel only. */
  #narrowShown: PanelId = "chart";

  /**
   * `onChange` is told of each layout that a reader has made, once it is done; `onPlaced` whenever
   * places or sizes are other ones.
   */
  constructor(
    panels: Readonly<Record<PanelId, HTMLElement>>,
    layout: LayoutNode,
    listeners: { onChange(layout: LayoutNode): void; onPlaced(): void },
  ) {
    this.#layout = layout;
    this.#onChange = (next) => listeners.onChange(next);
    this.#onPlaced = () => listeners.onPlaced();
    const events = {
      onShow: (panel: PanelId) => {
        this.reveal(panel);
        this.#frames.get(panel)?.focusTab();
      },
      onMaximise: (panel: PanelId) => this.#maximise(panel),
      onDrag: (panel: PanelId, x: number, y: number) => this.#showDrop(panel, x, y),
      onDrop: (panel: PanelId, x: number, y: number) => this.#dropAt(panel, x, y),
      onCancel: () => this.#hideDrop(),
      onKey: (panel: PanelId, event: KeyboardEvent) => this.#onKey(panel, event),
    };
    this.#frames = new Map(PANEL_IDS.map((id) => [id, new PanelFrame(id, panels[id], events)]));
    this.element.append(...PANEL_IDS.map((id) => panels[id]), this.#drop);
  }

  /** The panel is seen: not hidden behind a tab, not left out, not on another page of a phone. */
  isSeen(panel: PanelId): boolean {
    return this.#frames.get(panel)?.element.hidden === false;
  }

  apply(layout: LayoutNode): void {
    this.#layout = layout;
    if (!panelsOf(layout).includes(this.#maximised ?? "chart")) this.#maximised = undefined;
    this.place();
  }

  setNarrow(isNarrow: boolean): void {
    this.#isNarrow = isNarrow;
    this.#maximised = undefined;
    this.element.dataset["narrow"] = String(isNarrow);
    this.place();
  }

  /** Places everything anew, as after a change of the window's size. */
  place(): void {
    const { clientWidth, clientHeight } = this.element;
    const edge = this.#isNarrow ? 0 : GAP;
    const room: Rect = {
      left: edge,
      top: edge,
      width: Math.max(0, clientWidth - 2 * edge),
      height: Math.max(0, clientHeight - 2 * edge),
    };
    this.#placed = placeLayout(this.#shownLayout(), room, GAP);
    const leaves = new Map<PanelId, PlacedLeaf>();
    for (const one of this.#placed.leaves) for (const id of one.panels) leaves.set(id, one);
    const titles = new Map([...this.#frames].map(([id, { title }]) => [id, title]));
    for (const [id, frame] of this.#frames) frame.place(leaves.get(id), titles);
    this.#placeBorders();
    this.#onPlaced();
  }

  /** Brings a panel to view, whatever hides it. */
  reveal(panel: PanelId): void {
    if (this.#isNarrow) {
      this.#narrowShown = panel;
      this.place();
      return;
    }
    this.#maximised = undefined;
    this.#change(activate(addPanel(this.#layout, panel), panel));
  }

  /** Hides a panel or shows it; the last one stays. */
  toggle(panel: PanelId): void {
    const has = panelsOf(this.#layout).includes(panel);
    const layout = has ? removePanel(this.#layout, panel) : addPanel(this.#layout, panel);
    if (layout !== undefined) this.#change(layout);
  }

  /** A single panel fills the page, until it is asked for again. False if none did. */
  restore(): boolean {
    const was = this.#maximised !== undefined;
    this.#maximised = undefined;
    if (was) this.place();
    return was;
  }

  #shownLayout(): LayoutNode {
    if (this.#isNarrow) {
      const tab = NARROW_TABS.find(([, panels]) => panels.includes(this.#narrowShown));
      return activate(leaf(1_000, ...(tab?.[1] ?? ["chart"])), this.#narrowShown);
    }
    return this.#maximised === undefined ? this.#layout : leaf(1_000, this.#maximised);
  }

  #change(layout: LayoutNode): void {
    this.#layout = layout;
    this.place();
    this.#onChange(layout);
  }

  #maximise(panel: PanelId): void {
    if (this.#isNarrow || this.restore()) return;
    this.#maximised = panel;
    this.place();
  }

  #pointIn(x: number, y: number): { readonly x: number; readonly y: number } {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: x - left, y: y - top };
  }

  #showDrop(panel: PanelId, x: number, y: number): void {
    if (this.#isNarrow || this.#maximised !== undefined) return;
    const found = zoneAt(this.#placed.leaves, this.#pointIn(x, y));
    const isItself = found?.leaf.panels.length === 1 && found.leaf.shown === panel;
    if (found === undefined || isItself) this.#hideDrop();
    else {
      this.#drop.hidden = false;
      setRect(this.#drop, zoneRect(found.leaf.rect, found.zone));
    }
  }

  #hideDrop(): void {
    this.#drop.hidden = true;
  }

  #dropAt(panel: PanelId, x: number, y: number): void {
    if (this.#drop.hidden) return;
    this.#hideDrop();
    const found = zoneAt(this.#placed.leaves, this.#pointIn(x, y));
    if (found === undefined) return;
    const { leaf: place, zone } = found;
    const target = place.panels.find((one) => one !== panel);
    if (target === undefined) return;
    // Onto its own place: it is there already.
    if (zone === "middle" && place.panels.includes(panel)) return;
    this.#change(movePanel(this.#layout, { panel, target, zone }));
  }

  #onKey(panel: PanelId, event: KeyboardEvent): void {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#maximise(panel);
      return;
    }
    const direction = DIRECTIONS.get(event.key);
    if (direction === undefined || this.#isNarrow || this.#maximised !== undefined) return;
    event.preventDefault();
    const place = neighbourOf(this.#placed.leaves, panel, direction);
    // With nothing in this direction, it goes to that edge of the page.
    const move =
      place === undefined
        ? { panel, target: panel, zone: direction }
        : { panel, target: place.shown, zone: event.shiftKey ? ("middle" as const) : direction };
    this.#change(movePanel(this.#layout, move));
    this.#frames.get(panel)?.focus();
  }

  #placeBorders(): void {
    const seen = new Set<string>();
    for (const placed of this.#placed.borders) {
      const key = `${placed.path.join(".")}:${placed.index}`;
      seen.add(key);
      let border = this.#borders.get(key);
      if (border === undefined) {
        border = {
          element: el("div", { class: "border", role: "separator", tabindex: "0" }),
          placed,
        };
        this.#borders.set(key, border);
        this.#listen(border);
        this.element.append(border.element);
      }
      border.placed = placed;
      const [before, after] = placed.between.map((id) => this.#frames.get(id)?.title ?? id);
      const { element } = border;
      const percent = Math.round((placed.share * 100) / placed.bothShares);
      element.setAttribute("aria-orientation", placed.isUpright ? "vertical" : "horizontal");
      element.setAttribute("aria-label", `Border between ${before} and ${after}`);
      element.setAttribute("aria-valuenow", String(percent));
      setRect(element, placed.rect);
    }
    for (const [key, { element }] of this.#borders) {
      if (seen.has(key)) continue;
      element.remove();
      this.#borders.delete(key);
    }
  }

  #listen(border: Border): void {
    const { element } = border;
    element.addEventListener("pointerdown", (event) => {
      const { placed } = border;
      const start = this.#layout;
      const at = placed.isUpright ? event.clientX : event.clientY;
      element.setPointerCapture(event.pointerId);
      element.onpointermove = (move) => {
        const moved = (placed.isUpright ? move.clientX : move.clientY) - at;
        this.#layout = moveBorder(start, { ...placed, by: (moved * 1_000) / placed.spanPx });
        this.place();
      };
      // What is saved, and stands in the address, is where it was let go.
      element.onlostpointercapture = () => {
        element.onpointermove = null;
        this.#onChange(this.#layout);
      };
    });
    element.addEventListener("keydown", (event) => {
      const direction = DIRECTIONS.get(event.key);
      if (direction === undefined) return;
      event.preventDefault();
      const sign = direction === "left" || direction === "top" ? -1 : 1;
      const by = (sign * KEY_STEP_PX * 1_000) / border.placed.spanPx;
      this.#change(moveBorder(this.#layout, { ...border.placed, by }));
    });
  }
}

function setRect({ style }: HTMLElement, { left, top, width, height }: Rect): void {
  style.left = `${left}px`;
  style.top = `${top}px`;
  style.width = `${width}px`;
  style.height = `${height}px`;
}
