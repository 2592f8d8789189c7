import { el } from "../page/dom.ts";

/** A canvas that is as large as its place, in pixels of the screen. */
export class PanelCanvas {
  readonly element = el("canvas", { class: "panel-canvas" });
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;

  constructor(label: string) {
    this.element.setAttribute("role", "img");
    this.element.setAttribute("aria-label", label);
    const context = this.element.getContext("2d");
    if (context === null) throw new Error("this browser cannot draw on a canvas");
    this.context = context;
  }

  /** Takes the size of its place, and empties it. False while it has no room. */
  begin(scale: number): boolean {
    const { clientWidth, clientHeight } = this.element;
    this.width = clientWidth;
    this.height = clientHeight;
    if (clientWidth === 0 || clientHeight === 0) return false;
    const width = Math.round(clientWidth * scale);
    const height = Math.round(clientHeight * scale);
    if (this.element.width !== width) this.element.width = width;
    if (this.element.height !== height) this.element.height = height;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.clearRect(0, 0, clientWidth, clientHeight);
    return true;
  }
}

/** A colour of the style sheet. */
export function colourOf(element: Element, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}
