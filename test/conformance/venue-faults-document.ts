import { formatMarkdownTable } from "#config/markdown-table.ts";
import type { ScriptedVenueId } from "#test/support/dialects/registry.ts";
import type { ChangeOutcome, VenueChange } from "./venue-changes-list.ts";
import type { FaultOutcome, Told, VenueFault } from "./venue-faults-list.ts";

const HEAD = `# When a venue misbehaves

Each scripted venue, one fault at a time, against the real ingestor in manual time: what the clients of the market were told
of its book and its trades, as \`state (reason)\` with the seconds since the start, and when the last of both was live again.
Last come the changes that are no faults: a listing, a delisting, a halt, an auction and maintenance.
Everything else on the same connection stayed live, but for books that lose their proof with any lost message. Made by \`test/conformance/venue-faults-table.test.ts\`:
\`npx vitest run test/conformance/venue-faults-table.test.ts --update\`.
`;

/** The page that says what came of each fault and each change at each venue. */
export function venueFaultsDocument(
  outcomes: ReadonlyMap<VenueFault, ReadonlyMap<ScriptedVenueId, FaultOutcome>>,
  changes: ReadonlyMap<VenueChange, ReadonlyMap<ScriptedVenueId, ChangeOutcome>>,
): string {
  const sections = [...outcomes].map(([fault, ofVenues]) => {
    const rows = [...ofVenues].map(([venue, { target }]) => [
      venue,
      toldText(target.book),
      toldText(target.trades),
      rightAgain(target),
    ]);
    return section(fault, ["book", "trades", "right again"], rows);
  });
  return HEAD + sections.join("") + [...changes].map(changeSection).join("");
}

function changeSection([change, ofVenues]: readonly [
  VenueChange,
  ReadonlyMap<ScriptedVenueId, ChangeOutcome>,
]): string {
  const rows = [...ofVenues].map(([venue, { target, listings, instrument }]) => [
    venue,
    textsText(listings),
    textsText(instrument),
    toldText(target.book),
    toldText(target.trades),
  ]);
  return section(change, ["`listings`", "instrument", "book", "trades"], rows);
}

function section(
  { name, description }: { readonly name: string; readonly description: string },
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return [
    `\n## ${name[0]?.toUpperCase()}${name.slice(1)}`,
    `\n${description}\n`,
    formatMarkdownTable([["venue", ...columns], ...rows]),
  ].join("\n");
}

function textsText(told: ChangeOutcome["listings"]): string {
  return told.map(({ text, second }) => `${text} ${secondsText(second)}`).join(" → ");
}

function toldText(told: Told["book"]): string {
  return told
    .map(({ state, reason, second }) => `${state} (${reason}) ${secondsText(second)}`)
    .join(" → ");
}

function rightAgain({ book, trades }: Told): string {
  const last = [book.at(-1), trades.at(-1)];
  if (last.some((status) => status?.state !== "live")) return "never, which is so";
  return `${secondsText(Math.max(...last.map((status) => status?.second ?? 0)))} s`;
}

function secondsText(second: number): string {
  return String(Math.round(second * 10) / 10);
}
