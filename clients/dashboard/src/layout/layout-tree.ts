/** Everything that can be shown, with the letter that stands for it in an address. */
export const PANELS = {
  markets: "m",
  chart: "c",
  depth: "d",
  heatmap: "h",
  book: "b",
  trades: "t",
  venues: "v",
  health: "f",
} as const;
export type PanelId = keyof typeof PANELS;
export const PANEL_IDS = Object.keys(PANELS) as PanelId[];

/** The shares of the parts of a row or column come to this. */
export const SHARES = 1_000;
/** No part is made smaller by the reader. */
const SHARE_MIN = 60;

/** One place of the page: a panel, or several of which one is seen. */
type Leaf = {
  readonly kind: "leaf";
  readonly share: number;
  readonly panels: readonly PanelId[];
  readonly active: number;
};
/** Parts beside each other, or below each other. */
type Split = {
  readonly kind: "row" | "column";
  readonly share: number;
  readonly parts: readonly LayoutNode[];
};
export type LayoutNode = Leaf | Split;

/** Where a panel goes: beside another, or into the same place as a further tab. */
export type Zone = "left" | "right" | "top" | "bottom" | "middle";

export function leaf(share: number, ...panels: readonly PanelId[]): Leaf {
  return { kind: "leaf", share, panels, active: 0 };
}
export function split(kind: Split["kind"], share: number, ...parts: readonly LayoutNode[]): Split {
  return { kind, share, parts };
}

/** Every panel that has a place, tabs that are not seen included. */
export function panelsOf(node: LayoutNode): PanelId[] {
  return node.kind === "leaf" ? [...node.panels] : node.parts.flatMap(panelsOf);
}

/** The panel is the one that is seen of its place. */
export function activate(node: LayoutNode, panel: PanelId): LayoutNode {
  return mapLeaf(node, panel, (found) => ({ ...found, active: found.panels.indexOf(panel) }));
}

/** Without a panel; undefined if it was the last one. What was beside it gets its room. */
export function removePanel(node: LayoutNode, panel: PanelId): LayoutNode | undefined {
  if (node.kind === "leaf") {
    const panels = node.panels.filter((one) => one !== panel);
    if (panels.length === node.panels.length) return node;
    const shown = node.panels[node.active];
    const active = Math.max(0, shown === undefined ? 0 : panels.indexOf(shown));
    return panels.length === 0 ? undefined : { ...node, panels, active };
  }
  const parts = node.parts.flatMap((part) => removePanel(part, panel) ?? []);
  return tidySplit({ ...node, parts });
}

/** Puts a panel beside `target`, or beside everything if that is the panel itself. */
export function movePanel(
  node: LayoutNode,
  {
    panel,
    target,
    zone,
  }: { readonly panel: PanelId; readonly target: PanelId; readonly zone: Zone },
): LayoutNode {
  const without = removePanel(node, panel);
  if (without === undefined) return node;
  if (target === panel || !panelsOf(without).includes(target))
    return zone === "middle" ? node : addBeside(without, panel, zone);
  return (
    tidy(
      mapLeaf(without, target, (found) =>
        zone === "middle"
          ? { ...found, panels: [...found.panels, panel], active: found.panels.length }
          : addBeside(found, panel, zone),
      ),
    ) ?? node
  );
}

/** Gives a hidden panel a place of its own: at the right. */
export function addPanel(node: LayoutNode, panel: PanelId): LayoutNode {
  return panelsOf(node).includes(panel)
    ? node
    : (tidy(addBeside(node, panel, "right", 250)) ?? node);
}

/** Moves the border after the part `index` of the split at `path`. */
export function moveBorder(
  node: LayoutNode,
  {
    path,
    index,
    by,
  }: { readonly path: readonly number[]; readonly index: number; readonly by: number },
): LayoutNode {
  if (node.kind === "leaf") return node;
  const [first, ...rest] = path;
  if (first !== undefined) {
    const parts = node.parts.map((part, at) =>
      at === first ? moveBorder(part, { path: rest, index, by }) : part,
    );
    return { ...node, parts };
  }
  const [before, after] = [node.parts[index], node.parts[index + 1]];
  if (before === undefined || after === undefined) return node;
  const low = Math.min(0, SHARE_MIN - before.share);
  const high = Math.max(0, after.share - SHARE_MIN);
  const change = Math.max(low, Math.min(high, Math.round(by)));
  const parts = node.parts.map((part, at) => {
    if (at === index) return { ...part, share: part.share + change };
    return at === index + 1 ? { ...part, share: part.share - change } : part;
  });
  return { ...node, parts };
}

/**
 * The same layout with shares that come to `SHARES`, without splits of one part and without rows in
 * rows; undefined if nothing is left of it.
 */
export function tidy(node: LayoutNode): LayoutNode | undefined {
  if (node.kind === "leaf") return node.panels.length === 0 ? undefined : node;
  return tidySplit({ ...node, parts: node.parts.flatMap((part) => tidy(part) ?? []) });
}

function tidySplit(node: Split): LayoutNode | undefined {
  const parts = node.parts.flatMap((part) => {
    if (part.kind !== node.kind) return part;
    // A row in a row: its parts become ours, each with its share of the share.
    const inner = part as Split;
    return inner.parts.map((one) => ({ ...one, share: (one.share * inner.share) / SHARES }));
  });
  const [only] = parts;
  if (only === undefined) return undefined;
  if (parts.length === 1) return { ...only, share: node.share };
  return { ...node, parts: withShares(parts) };
}

/** Whole shares that come to `SHARES`; the largest part takes what rounding leaves. */
function withShares(parts: readonly LayoutNode[]): LayoutNode[] {
  const sum = parts.reduce((total, { share }) => total + share, 0);
  const shares = parts.map(({ share }) => Math.max(1, Math.round((share * SHARES) / sum)));
  const largest = shares.indexOf(Math.max(...shares));
  shares[largest]! += SHARES - shares.reduce((total, share) => total + share, 0);
  return parts.map((part, index) => ({ ...part, share: shares[index]! }));
}

/** `share` is what the panel gets of the room of both. */
function addBeside(
  node: LayoutNode,
  panel: PanelId,
  zone: Exclude<Zone, "middle">,
  share = SHARES / 2,
): LayoutNode {
  const kind = zone === "left" || zone === "right" ? "row" : "column";
  const [added, rest] = [leaf(share, panel), { ...node, share: SHARES - share }];
  const isFirst = zone === "left" || zone === "top";
  const both = { kind, share: node.share, parts: isFirst ? [added, rest] : [rest, added] } as const;
  return tidySplit(both) ?? node;
}

function mapLeaf(
  node: LayoutNode,
  panel: PanelId,
  change: (found: Leaf) => LayoutNode,
): LayoutNode {
  if (node.kind === "leaf") return node.panels.includes(panel) ? change(node) : node;
  return { ...node, parts: node.parts.map((part) => mapLeaf(part, panel, change)) };
}
