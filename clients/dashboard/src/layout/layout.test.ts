import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { neighbourOf, placeLayout, zoneAt, zoneRect, type Rect } from "./layout-rects.ts";
import { PRESETS, readLayout, writeLayout } from "./layout-text.ts";
import {
  activate,
  addPanel,
  leaf,
  moveBorder,
  movePanel,
  PANEL_IDS,
  panelsOf,
  removePanel,
  SHARES,
  split,
  type LayoutNode,
} from "./layout-tree.ts";

const PAGE: Rect = { left: 0, top: 0, width: 1_440, height: 800 };
const GAP = 6;
const ZONES = ["left", "right", "top", "bottom", "middle"] as const;
const SHARE_MIN = 60;
const { trading } = PRESETS;

/** Every split of a layout. */
function splitsOf(node: LayoutNode): Extract<LayoutNode, { parts: unknown }>[] {
  return node.kind === "leaf" ? [] : [node, ...node.parts.flatMap(splitsOf)];
}

const panel = fc.constantFrom(...PANEL_IDS);
const step = fc.oneof(
  fc
    .record({ panel, target: panel, zone: fc.constantFrom(...ZONES) })
    .map(
      (move) => (node: LayoutNode) =>
        panelsOf(node).includes(move.panel) ? movePanel(node, move) : node,
    ),
  panel.map((one) => (node: LayoutNode) => removePanel(node, one) ?? node),
  panel.map((one) => (node: LayoutNode) => addPanel(node, one)),
  panel.map((one) => (node: LayoutNode) => activate(node, one)),
  fc
    .record({
      path: fc.array(fc.nat(2), { maxLength: 3 }),
      index: fc.nat(3),
      by: fc.integer({ min: -2_000, max: 2_000 }),
    })
    .map((move) => (node: LayoutNode) => moveBorder(node, move)),
);

describe("a layout", () => {
  test("stays whole whatever a reader does to it, and is the same after an address", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let node: LayoutNode = trading;
        for (const change of steps) {
          node = change(node);
          const panels = panelsOf(node);
          expect(panels.length).toBeGreaterThan(0);
          expect(new Set(panels).size).toBe(panels.length);
          for (const { kind, parts } of splitsOf(node)) {
            expect(parts.length).toBeGreaterThan(1);
            expect(parts.reduce((sum, { share }) => sum + share, 0)).toBe(SHARES);
            expect(parts.every((part) => part.kind !== kind && part.share > 0)).toBe(true);
          }
        }
        expect(readLayout(writeLayout(node))).toEqual(node);
      }),
    );
  });

  test("fills the page without overlap, whatever its size", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.integer({ min: 600, max: 4_000 }),
        fc.integer({ min: 600, max: 2_000 }),
        (steps, width, height) => {
          const node = steps.reduce((now: LayoutNode, change) => change(now), trading);
          const { leaves, borders } = placeLayout(node, { left: 0, top: 0, width, height }, GAP);
          const rects = [...leaves, ...borders].map(({ rect }) => rect);
          const area = rects.reduce((sum, rect) => sum + rect.width * rect.height, 0);
          const isCut = rects.some((rect) => rect.width <= 0 || rect.height <= 0);
          fc.pre(!isCut);
          expect(area).toBe(width * height);
          expect(leaves.flatMap(({ panels }) => panels)).toEqual(panelsOf(node));
        },
      ),
    );
  });

  test("a panel that is moved beside another shares its room with it", () => {
    const node = split("row", 1_000, leaf(500, "chart"), leaf(500, "book", "trades"));
    expect(movePanel(node, { panel: "trades", target: "chart", zone: "bottom" })).toEqual(
      split(
        "row",
        1_000,
        split("column", 500, leaf(500, "chart"), leaf(500, "trades")),
        leaf(500, "book"),
      ),
    );
    const right = movePanel(node, { panel: "trades", target: "chart", zone: "right" });
    expect(writeLayout(right)).toBe("1000R3-250c-250t-500b");
  });

  test("a panel that is moved onto another becomes a tab of its place, and is seen", () => {
    const node = split("row", 1_000, leaf(500, "chart"), leaf(500, "book"));
    const joined = movePanel(node, { panel: "book", target: "chart", zone: "middle" });
    expect(joined).toEqual({ ...leaf(1_000, "chart", "book"), active: 1 });
    expect(movePanel(joined, { panel: "book", target: "book", zone: "left" })).toEqual(
      split("row", 1_000, leaf(500, "book"), leaf(500, "chart")),
    );
  });

  test.each([-1_000, SHARE_MIN - 501, SHARE_MIN - 500, SHARE_MIN - 499])(
    "a border moved by %d leaves the least share",
    (by) => {
      const node = split("row", 1_000, leaf(500, "chart"), leaf(500, "book"));
      const moved = moveBorder(node, { path: [], index: 0, by }) as typeof node;
      const share = Math.max(SHARE_MIN, 500 + by);
      expect(moved.parts.map((part) => part.share)).toEqual([share, SHARES - share]);
    },
  );

  test("the last panel stays, and the one that was seen is seen when another goes", () => {
    expect(removePanel(leaf(1_000, "chart"), "chart")).toBeUndefined();
    const tabs = { ...leaf(1_000, "chart", "depth", "heatmap"), active: 2 };
    expect(removePanel(tabs, "chart")).toEqual({ ...leaf(1_000, "depth", "heatmap"), active: 1 });
  });

  test.each([
    "",
    "1000",
    "1000z",
    "0m",
    "1000R2-500m",
    "1000R2-500m-500m",
    "1000R2-500m-500c-1c",
    "1000m1",
    "1000R1-1000m",
    "R2-m-c",
    "-",
    `${"500R2-".repeat(9)}500m-500c`,
    "9".repeat(500),
  ])("text that is no layout, %j, is not one", (text) => {
    expect(readLayout(text)).toBeUndefined();
  });

  test("each preset is what its address says", () => {
    for (const preset of Object.values(PRESETS))
      expect(readLayout(writeLayout(preset))).toEqual(preset);
  });
});

describe("where things are", () => {
  const { leaves } = placeLayout(trading, PAGE, GAP);
  const rectOf = (id: string) => leaves.find(({ shown }) => shown === id)!.rect;

  test("a drop in the middle joins, one near an edge goes beside, one outside does nothing", () => {
    const { left, top, width, height } = rectOf("chart");
    const at = (x: number, y: number) =>
      zoneAt(leaves, { x: left + x * width, y: top + y * height })?.zone;
    expect([at(0.5, 0.5), at(0.05, 0.5), at(0.95, 0.5), at(0.5, 0.05), at(0.5, 0.95)]).toEqual([
      "middle",
      "left",
      "right",
      "top",
      "bottom",
    ]);
    expect(zoneAt(leaves, { x: -5, y: 5 })).toBeUndefined();
    expect(zoneRect({ left: 0, top: 0, width: 10, height: 8 }, "bottom")).toEqual({
      left: 0,
      top: 4,
      width: 10,
      height: 4,
    });
  });

  test("the neighbour of a panel is what is beside most of it", () => {
    const shownBeside = (
      id: "chart" | "book" | "markets",
      direction: "left" | "right" | "bottom",
    ) => neighbourOf(leaves, id, direction)?.shown;
    expect(shownBeside("chart", "left")).toBe("markets");
    expect(shownBeside("chart", "right")).toBe("book");
    expect(shownBeside("chart", "bottom")).toBe("health");
    expect(shownBeside("markets", "right")).toBe("chart");
    expect(shownBeside("markets", "left")).toBeUndefined();
  });
});
