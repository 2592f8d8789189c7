import type { Client, Instrument } from "@tickwire/client";
import { expect, test } from "vitest";
import { MarketDirectory } from "./market-directory.ts";

function create(kept: string) {
  let listed: readonly string[] = [];
  const relisted: string[] = [];
  const directory = new MarketDirectory(new Set(), {
    onList: () => undefined,
    onTicker: () => undefined,
    onProblem: () => undefined,
    isKept: (topic) => topic === kept,
    onRelisted: (topic) => void relisted.push(topic),
  });
  const instrumentOf = (symbol: string) =>
    ({ venue: "v", symbol, base: symbol, quote: "USD", channels: [] }) as unknown as Instrument;
  const client = {
    rpc: {
      listInstruments: () =>
        Promise.resolve({ instruments: listed.map(instrumentOf), nextPageToken: undefined }),
    },
  } as unknown as Client;
  const load = async (...symbols: string[]) => {
    listed = symbols;
    await directory.load(client);
    return [...directory.markets.keys()];
  };
  return { directory, load, relisted };
}

test("what two lists in a row lack is not in the list any more", async () => {
  const { load, directory } = create("");
  await load("A", "B");
  expect(await load("A")).toEqual(["v:A", "v:B"]);
  expect(await load("A", "B")).toEqual(["v:A", "v:B"]);
  await load("A");
  expect(await load("A")).toEqual(["v:A"]);
  await load();
  await load();
  expect(directory.venues).toEqual([]);
});

test("the market that is shown stays, and is told when it is listed again", async () => {
  const { load, relisted } = create("v:B");
  await load("A", "B");
  await load("A");
  await load("A");
  expect(await load("A")).toEqual(["v:A", "v:B"]);
  expect(relisted).toEqual([]);
  await load("A", "B");
  expect(relisted).toEqual(["v:B"]);
});
