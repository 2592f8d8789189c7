import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import { isSymbol } from "#core/topic.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { capturePath } from "#test/support/captures.ts";

// The lists of instruments that venues answered with, whole: one venue symbol, one symbol, and the
// other way round.

type Listed = { readonly instruments: readonly Instrument[]; readonly lists: number };

/** Every list of a capture, through its adapter; none if nobody knows the venue. */
async function listedIn(path: string): Promise<Listed & { adapter: FeedAdapter | undefined }> {
  let adapter: FeedAdapter | undefined;
  let lists = 0;
  const instruments: Instrument[] = [];
  for await (const line of readCapture(path)) {
    if (line.kind === "header" && Object.hasOwn(VENUES, line.venue)) {
      adapter = VENUES[line.venue as keyof typeof VENUES];
    }
    if (line.kind !== "http" || adapter === undefined) continue;
    if (adapter.recordedRequest(line.url)?.kind !== "instruments") continue;
    lists += 1;
    instruments.push(...(adapter.parseInstruments(line.body, line.url)?.instruments ?? []));
  }
  return { adapter, lists, instruments };
}

const anyPath = capturePath("binance-4-small-pairs");
const folder = anyPath?.slice(0, anyPath.lastIndexOf("/"));
const names =
  folder === undefined
    ? ["none"]
    : readdirSync(folder)
        .filter((name) => name.endsWith(".ndjson.gz"))
        .map((name) => name.replace(".ndjson.gz", ""));

describe.skipIf(folder === undefined).each(names)("%s", async (name) => {
  const path = folder === undefined ? undefined : capturePath(name);
  const { adapter, lists, instruments } =
    path === undefined ? { adapter: undefined, lists: 0, instruments: [] } : await listedIn(path);

  test("its lists hold instruments, of its venue and with symbols that can be published", () => {
    expect(instruments.length > 0).toBe(lists > 0);
    const strange = instruments.filter(
      ({ venue, symbol }) => venue !== adapter?.venue || !isSymbol(symbol),
    );
    expect(strange).toEqual([]);
  });

  test("two instruments never share a name, neither the venue's nor Tickwire's", () => {
    const byName = new Map<string, string>();
    const bySymbol = new Map<string, string>();
    const shared: string[] = [];
    for (const { venueSymbol, venueMarket = "", symbol } of instruments) {
      const venueName = `${venueMarket} ${venueSymbol}`;
      const [known = symbol, knownName = venueName] = [byName.get(venueName), bySymbol.get(symbol)];
      if (known !== symbol || knownName !== venueName) shared.push(`${venueName} = ${symbol}`);
      byName.set(venueName, symbol);
      bySymbol.set(symbol, venueName);
    }
    expect(shared).toEqual([]);
  });

  test("what can be made of a venue symbol alone is what the list says", () => {
    const different: string[] = [];
    for (const instrument of instruments) {
      const { venueSymbol, venueMarket, symbol } = instrument;
      const derived = adapter?.deriveInstrument(venueSymbol, venueMarket);
      if (derived === undefined) continue;
      for (const field of ["symbol", "kind", "base", "quote", "settle", "inverse"] as const) {
        if (derived[field] === instrument[field]) continue;
        different.push(`${symbol}: ${field} ${derived[field]} is ${instrument[field]}`);
      }
    }
    expect(different).toEqual([]);
  });
});
