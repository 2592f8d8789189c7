import { SHARES, type LayoutNode, type PanelId, type Zone } from "./layout-tree.ts";

export type Rect = {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
};
export type PlacedLeaf = {
  readonly panels: readonly PanelId[];
  readonly shown: PanelId;
  readonly rect: Rect;
};
/** Between the part `index` of the split at `path` and the next one. */
export type PlacedBorder = {
  readonly path: readonly number[];
  readonly index: number;
  /** It stands upright, and moves to the left and right. */
  readonly isUpright: boolean;
  readonly rect: Rect;
  /** Share of the part before it, and what both parts have together. */
  readonly share: number;
  readonly bothShares: number;
  /** Pixels that a split's shares are spread over. */
  readonly spanPx: number;
  /** The panels on both sides, the first of each. */
  readonly between: readonly [PanelId, PanelId];
};
export type Placed = {
  readonly leaves: readonly PlacedLeaf[];
  readonly borders: readonly PlacedBorder[];
};

/** Where everything is, in whole pixels. `gap` is the width of a border. */
export function placeLayout(node: LayoutNode, rect: Rect, gap: number): Placed {
  const leaves: PlacedLeaf[] = [];
  const borders: PlacedBorder[] = [];
  const place = (part: LayoutNode, room: Rect, path: readonly number[]): void => {
    if (part.kind === "leaf") {
      const shown = part.panels[part.active] ?? part.panels[0];
      if (shown !== undefined) leaves.push({ panels: part.panels, shown, rect: room });
      return;
    }
    const isUpright = part.kind === "row";
    const spanPx = (isUpright ? room.width : room.height) - gap * (part.parts.length - 1);
    let sum = 0;
    for (const [index, child] of part.parts.entries()) {
      const start = Math.round((sum * spanPx) / SHARES) + gap * index;
      sum += child.share;
      const end = Math.round((sum * spanPx) / SHARES) + gap * index;
      place(child, within(room, isUpright, start, end), [...path, index]);
      const next = part.parts[index + 1];
      if (next === undefined) continue;
      borders.push({
        path,
        index,
        isUpright,
        rect: within(room, isUpright, end, end + gap),
        share: child.share,
        bothShares: child.share + next.share,
        spanPx,
        between: [firstPanel(child), firstPanel(next)],
      });
    }
  };
  place(node, rect, []);
  return { leaves, borders };
}

function within(room: Rect, isUpright: boolean, start: number, end: number): Rect {
  const size = Math.max(0, end - start);
  return isUpright
    ? { ...room, left: room.left + start, width: size }
    : { ...room, top: room.top + start, height: size };
}

function firstPanel(node: LayoutNode): PanelId {
  let at = node;
  while (at.kind !== "leaf") at = at.parts[0]!;
  return at.panels[0]!;
}

/** Share of a panel's width or height from its edge that means "beside it". */
const EDGE = 0.28;

/** What dropping at a point means: the place under it, and which part of it. */
export function zoneAt(
  leaves: readonly PlacedLeaf[],
  at: { readonly x: number; readonly y: number },
): { readonly leaf: PlacedLeaf; readonly zone: Zone } | undefined {
  const found = leaves.find(
    ({ rect }) =>
      at.x >= rect.left &&
      at.x < rect.left + rect.width &&
      at.y >= rect.top &&
      at.y < rect.top + rect.height,
  );
  if (found === undefined) return undefined;
  const x = (at.x - found.rect.left) / found.rect.width;
  const y = (at.y - found.rect.top) / found.rect.height;
  const distances = [
    ["left", x],
    ["right", 1 - x],
    ["top", y],
    ["bottom", 1 - y],
  ] as const;
  const [zone, distance] = distances.reduce((best, one) => (one[1] < best[1] ? one : best));
  return { leaf: found, zone: distance < EDGE ? zone : "middle" };
}

/** The part of a place that a zone of it would become. */
export function zoneRect({ left, top, width, height }: Rect, zone: Zone): Rect {
  switch (zone) {
    case "left":
      return { left, top, width: width / 2, height };
    case "right":
      return { left: left + width / 2, top, width: width / 2, height };
    case "top":
      return { left, top, width, height: height / 2 };
    case "bottom":
      return { left, top: top + height / 2, width, height: height / 2 };
    case "middle":
      return { left, top, width, height };
  }
}

/** The place next to a panel in a direction, the one that is beside most of it. */
export function neighbourOf(
  leaves: readonly PlacedLeaf[],
  panel: PanelId,
  direction: Exclude<Zone, "middle">,
): PlacedLeaf | undefined {
  const from = leaves.find(({ panels }) => panels.includes(panel))?.rect;
  if (from === undefined) return undefined;
  const isAcross = direction === "left" || direction === "right";
  const sign = direction === "right" || direction === "bottom" ? 1 : -1;
  const [start, size] = isAcross ? (["left", "width"] as const) : (["top", "height"] as const);
  const [side, length] = isAcross ? (["top", "height"] as const) : (["left", "width"] as const);
  let best: { readonly leaf: PlacedLeaf; readonly cost: number } | undefined;
  for (const one of leaves) {
    const { rect } = one;
    const away =
      sign > 0
        ? rect[start] - (from[start] + from[size])
        : from[start] - (rect[start] + rect[size]);
    const shared =
      Math.min(rect[side] + rect[length], from[side] + from[length]) -
      Math.max(rect[side], from[side]);
    if (away < 0 || shared <= 0) continue;
    const cost = away * 10_000 - shared;
    if (best === undefined || cost < best.cost) best = { leaf: one, cost };
  }
  return best?.leaf;
}
