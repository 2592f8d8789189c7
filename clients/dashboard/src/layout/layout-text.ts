import {
  leaf,
  PANEL_IDS,
  PANELS,
  panelsOf,
  split,
  tidy,
  type LayoutNode,
  type PanelId,
} from "./layout-tree.ts";

/** Rows in columns in rows, no deeper. */
const DEPTH_MAX = 8;
const TEXT_LENGTH_MAX = 400;
const TOKEN = /^(\d{1,4})(?:([RC])([2-9])|([a-z]{1,9})(\d)?)$/;

const BY_LETTER: ReadonlyMap<string, PanelId> = new Map(PANEL_IDS.map((id) => [PANELS[id], id]));

/** The layouts that come with the page. */
export const PRESETS = {
  trading: split(
    "row",
    1_000,
    leaf(205, "markets"),
    split(
      "column",
      575,
      leaf(690, "chart", "depth", "heatmap"),
      split("row", 310, leaf(560, "health"), leaf(440, "venues")),
    ),
    split("column", 220, leaf(590, "book"), leaf(410, "trades")),
  ),
  chart: split(
    "row",
    1_000,
    leaf(780, "chart", "depth", "heatmap"),
    split("column", 220, leaf(590, "book", "venues"), leaf(410, "trades", "markets")),
  ),
  depth: split(
    "row",
    1_000,
    leaf(205, "markets"),
    split("column", 575, leaf(420, "chart"), leaf(580, "heatmap", "depth")),
    split("column", 220, leaf(650, "book"), leaf(350, "trades")),
  ),
  monitor: split(
    "row",
    1_000,
    leaf(230, "markets"),
    split("column", 770, leaf(600, "health"), leaf(400, "venues", "chart")),
  ),
} as const satisfies Readonly<Record<string, LayoutNode>>;

/** A layout as it stands in an address: `1000R3-205m-575C2-...`. */
export function writeLayout(node: LayoutNode): string {
  if (node.kind !== "leaf") {
    const letter = node.kind === "row" ? "R" : "C";
    return [`${node.share}${letter}${node.parts.length}`, ...node.parts.map(writeLayout)].join("-");
  }
  const letters = node.panels.map((panel) => PANELS[panel]).join("");
  return `${node.share}${letters}${node.active === 0 ? "" : node.active}`;
}

/** Reads what `writeLayout` wrote; undefined for all else, and for what shows a panel twice. */
export function readLayout(text: string): LayoutNode | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  const tokens = text.split("-");
  let at = 0;
  const read = (depth: number): LayoutNode | undefined => {
    const match = TOKEN.exec(tokens[at] ?? "");
    at += 1;
    if (match === null || depth > DEPTH_MAX) return undefined;
    const [, shareText = "", letter, count, letters, activeText = "0"] = match;
    const share = Number(shareText);
    if (share === 0) return undefined;
    if (letters !== undefined) return readLeaf(share, letters, Number(activeText));
    const parts: LayoutNode[] = [];
    for (let part = 0; part < Number(count); part += 1) {
      const node = read(depth + 1);
      if (node === undefined) return undefined;
      parts.push(node);
    }
    return split(letter === "R" ? "row" : "column", share, ...parts);
  };
  const node = read(0);
  if (node === undefined || at !== tokens.length) return undefined;
  const panels = panelsOf(node);
  return new Set(panels).size === panels.length ? tidy(node) : undefined;
}

function readLeaf(share: number, letters: string, active: number): LayoutNode | undefined {
  const panels = Array.from(letters).map((letter) => BY_LETTER.get(letter));
  if (panels.some((panel) => panel === undefined) || active >= panels.length) return undefined;
  return { ...leaf(share, ...(panels as PanelId[])), active };
}
