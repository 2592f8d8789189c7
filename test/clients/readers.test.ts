// The readers in other languages read every vector as it says, and a live stream of the simulated
// market as the TypeScript client does, event by event. Each runs where its toolchain is, and says
// so where it is not; test/clients/README.md has what they need.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { connect } from "@tickwire/client";
import type { MarketEvent } from "@tickwire/client";
import { ServerFrameCodec } from "@tickwire/proto/codec";
import { EVENT_KINDS } from "@tickwire/proto/model";
import { afterAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { killAll, startCli } from "#test/e2e/cli-process.ts";
import { missingFor, Reader, removePrograms } from "./reader-process.ts";

const VECTORS = path.join(import.meta.dirname, "../../proto/vectors");
const LANGUAGES = (["Python", "Go"] as const).filter((language) => {
  const missing = missingFor(language);
  if (missing !== undefined) {
    process.stdout.write(`SKIPPED: the ${language} reader of proto/vectors: ${missing}\n`);
  }
  return missing === undefined;
});

/** Enough for several batches of each channel that is not rare. */
const EVENTS_MIN = 4_000;

type Step = {
  readonly frame: string;
  readonly batches: unknown;
  readonly resume?: Record<string, number>;
};

afterAll(async () => {
  await killAll();
  removePrograms();
});

/** What an event says in the form of proto/vectors, from its exact texts. */
function plainEvent(event: MarketEvent): Record<string, unknown> {
  const { sequence, venueTimeUs, receivedTimeUs } = event;
  const plain: Record<string, unknown> = { sequence, receivedTimeUs };
  if (venueTimeUs !== undefined) plain["venueTimeUs"] = venueTimeUs;
  if (event.type === "book") {
    for (const side of ["bids", "asks"] as const) {
      plain[side] = event[side].map(({ priceText, sizeText }) => [priceText, sizeText]);
    }
    return event.snapshot ? { ...plain, replaces: true } : plain;
  }
  const values = event as object as Readonly<Record<string, unknown>>;
  const fields = EVENT_KINDS.find(({ type }) => type === event.type)?.fields ?? [];
  for (const { name, letter } of fields) {
    const value = letter === "d" ? values[`${name}Text`] : values[name];
    if (value !== undefined) plain[name] = value;
  }
  if (event.type !== "trade") return plain;
  const { historical, ...trade } = plain;
  return { tradeId: "", ...trade, ...(historical === true ? { historical } : {}) };
}

/** The events that the TypeScript client hands on, and those of the readers, by topic. */
async function followMarket(readers: readonly Reader[]) {
  const gateway = startCli(["dev", "--port", "0"]);
  const [, port] = await gateway.waitFor("stdout", /127\.0\.0\.1:(\d+)/);
  const topics = new Map<number, string>();
  class TappedSocket extends WebSocket {
    constructor(url: string, protocols: string | string[]) {
      super(url, protocols);
      this.on("message", (data: ArrayBuffer) => {
        // The client hears nothing any more once it closes.
        if (this.readyState !== WebSocket.OPEN) return;
        const bytes = new Uint8Array(data);
        for (const reader of readers) reader.frame(Buffer.from(bytes).toString("hex"));
        for (const { message } of ServerFrameCodec.decode(bytes).messages) {
          if (message?.kind !== "subscribeResult") continue;
          for (const { topicId, topic } of message.value.topics) topics.set(topicId, topic);
        }
      });
    }
  }
  const client = await connect(`ws://127.0.0.1:${port}`, { webSocket: TappedSocket });
  const events = new Map<string, unknown[]>();
  await new Promise<void>((resolve) => {
    let count = 0;
    client.subscribe("simulated:*/*", (event) => {
      if (!("publishedTimeUs" in event)) return;
      const list = events.get(event.topic) ?? [];
      events.set(event.topic, [...list, plainEvent(event)]);
      if (++count === EVENTS_MIN) resolve();
    });
  });
  client.close();
  const readings = await Promise.all(readers.map((reader) => reader.end()));
  await gateway.stop();
  return { events, topics, readings };
}

describe.skipIf(LANGUAGES.length === 0)("readers in other languages", () => {
  test.each(LANGUAGES)("%s reads every vector", async (language) => {
    for (const name of readdirSync(VECTORS)) {
      const { steps } = JSON.parse(readFileSync(path.join(VECTORS, name), "utf8")) as {
        readonly steps: readonly Step[];
      };
      const reader = new Reader(language);
      for (const { frame, resume } of steps) {
        if (resume !== undefined) reader.resume(resume);
        reader.frame(frame);
      }
      expect([name, await reader.end()]).toEqual([name, steps.map(({ batches }) => batches)]);
    }
  });

  test("agree with the TypeScript client on a live market, event by event", async () => {
    const readers = LANGUAGES.map((language) => new Reader(language));
    const { events, topics, readings } = await followMarket(readers);
    expect(new Set([...events.keys()].map((topic) => topic.split("/")[1])).size).toBeGreaterThan(6);
    for (const said of readings) {
      const theirs = new Map<string, unknown[]>();
      for (const { reading, topicId, events: some } of said.flat()) {
        expect(reading).toMatch(/^(news|state)$/);
        const topic = topics.get(Number(topicId)) ?? "";
        theirs.set(topic, [...(theirs.get(topic) ?? []), ...(some as unknown[])]);
      }
      for (const [topic, ours] of events) expect([topic, theirs.get(topic)]).toEqual([topic, ours]);
    }
  });
});
