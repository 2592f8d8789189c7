import { readFileSync, readdirSync } from "node:fs";
import { TRADES_PAYLOAD, WireError, topicIdOf, walkServerFrame } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { headOf } from "../events/event-head.ts";
import type { Trade } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import { ALL_CHANNELS } from "./all-channels.ts";
import type { ChannelPart } from "./channel.ts";
import { Consumer } from "./consumer.ts";
import { eventChannel } from "./event-channel.ts";
import { TopicStream } from "./topic-stream.ts";
import { createStreamCounters } from "./stream-counters.ts";

// The specification's examples, played to a topic of this client: which events it gives out, what
// it reports as lost, and when it asks again.

type Reading = {
  readonly topicId: number;
  readonly reading: "news" | "state" | "old" | "lost" | "malformed" | "unknown";
  readonly gap?: unknown;
  readonly events?: readonly { readonly sequence: number }[];
};

type Vector = {
  readonly name: string;
  readonly steps: readonly {
    readonly resume?: {
      readonly topicId: number;
      readonly epoch: number;
      readonly sequence: number;
    };
    readonly frame: string;
    readonly batches: readonly Reading[];
  }[];
};

const folder = new URL("../../../../proto/vectors/", import.meta.url);
const vectors = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Vector,
);

/** Whatever the channel of a batch, an event says where it stands. */
const ANY: ChannelPart = {
  ...eventChannel("trades", TRADES_PAYLOAD, {
    eventOf: (info, batch, index) => headOf("trade", info, batch, index) as Trade,
  }),
  payloads: [undefined, ...ALL_CHANNELS.map(({ payloads }) => payloads.at(-1))],
};

/** A topic without a position, whose channel is of no matter: what comes is handed on. */
class Stand {
  readonly sequences: number[] = [];
  readonly notices: NoticeEvent[] = [];
  resyncs = 0;
  readonly stream: TopicStream;

  constructor() {
    const counters = createStreamCounters();
    const info = { topic: "v:A/trades", venue: "v", symbol: "A", venueSymbol: "A" };
    const resync = () => {
      this.resyncs += 1;
    };
    this.stream = new TopicStream(
      { ...info, channel: "trades" },
      { part: ANY, counters, resync, moved: resync },
    );
    const event = ({ sequence }: { readonly sequence: number }) => this.sequences.push(sequence);
    const notice = (given: NoticeEvent) => this.notices.push(given);
    const end = () => undefined;
    this.stream.consumers = [new Consumer([info.topic], { event, notice, end })];
    this.stream.start({ topicId: 1, continuity: "new", position: undefined });
  }
}

/** False if it throws WireError. */
function isReadable(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

describe("an example of the specification", () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))("%s", (_, { steps }) => {
    const stands = new Map<number, Stand>();
    const standOf = (topicId: number) => {
      const stand = stands.get(topicId) ?? new Stand();
      stands.set(topicId, stand);
      return stand;
    };
    for (const { resume, frame, batches } of steps) {
      if (resume !== undefined) {
        const { topicId, epoch, sequence } = resume;
        standOf(topicId).stream.start({
          topicId,
          continuity: "new",
          position: { epoch, sequence },
        });
      }
      const bytes = Buffer.from(frame, "hex");
      let index = 0;
      const read = (start: number, end: number) => {
        const expected = batches[index]!;
        index += 1;
        // Books go to their topics only, which have tests of their own.
        if (expected.events?.some((event) => "bids" in event) === true) return;
        const stand = standOf(topicIdOf(bytes, start, end));
        const before = { events: stand.sequences.length, asked: stand.resyncs };
        const gaps = stand.notices.filter(({ type }) => type === "gap").length;
        stand.stream.receive(bytes, start, end);
        const given = stand.sequences.slice(before.events);
        expect(given).toEqual((expected.events ?? []).map(({ sequence }) => sequence));
        const mustAsk = ["lost", "malformed", "unknown"].includes(expected.reading);
        expect(stand.resyncs - before.asked).toBe(mustAsk ? 1 : 0);
        const told = stand.notices.filter(({ type }) => type === "gap").length - gaps;
        expect(told).toBe(expected.gap === undefined ? 0 : 1);
      };
      const isCutOff = !isReadable(() => {
        walkServerFrame(bytes, { message: () => undefined, batch: read });
      });
      expect(isCutOff && batches.at(-1)?.reading !== "malformed").toBe(false);
    }
  });
});
