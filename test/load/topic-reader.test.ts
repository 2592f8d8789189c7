import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { topicIdOf, walkServerFrame } from "@tickwire/proto/codec";
import { TopicReader } from "./topic-reader.ts";

type Vector = { readonly steps: readonly { readonly frame: string }[] };

/** What becomes of every batch of an example of the wire, from the place given. */
function outcomesOf(example: string, reader: TopicReader): string[] {
  const path = new URL(`../../proto/vectors/${example}.json`, import.meta.url);
  const { steps } = JSON.parse(readFileSync(path, "utf8")) as Vector;
  return steps.flatMap(({ frame }) => {
    const bytes = new Uint8Array(Buffer.from(frame, "hex"));
    const outcomes: string[] = [];
    walkServerFrame(bytes, {
      message: () => undefined,
      batch: (start, end) => {
        expect(topicIdOf(bytes, start, end)).toBeGreaterThan(0);
        const reading = reader.read(bytes, start, end);
        const { outcome } = reading;
        outcomes.push(
          outcome in COUNTED ? `${outcome} ${"events" in reading ? reading.events : ""}` : outcome,
        );
      },
    });
    return outcomes;
  });
}

const COUNTED = { events: true, lost: true };

describe("a topic under load", () => {
  test("counts the events of batches that follow each other", () => {
    const reader = new TopicReader({ epoch: 1, sequence: 40 });
    expect(outcomesOf("trades", reader)).toEqual(["events 3", "events 1"]);
    expect(reader.place.sequence).toBe(44);
  });

  test("counts what is missing before a batch", () => {
    expect(outcomesOf("trades", new TopicReader({ epoch: 1, sequence: 35 }))).toEqual([
      "lost 5",
      "events 1",
    ]);
  });

  test("counts nothing where the gateway said what is missing", () => {
    const reader = new TopicReader({ epoch: 1, sequence: 35 });
    reader.announceMissing(39);
    expect(outcomesOf("trades", reader)).toEqual(["lost 1", "events 1"]);
    const told = new TopicReader({ epoch: 1, sequence: 35 });
    told.announceMissing(40);
    expect(outcomesOf("trades", told)).toEqual(["events 3", "events 1"]);
  });

  test("takes no event twice", () => {
    expect(outcomesOf("trades", new TopicReader({ epoch: 1, sequence: 42 }))).toEqual([
      "events 1",
      "events 1",
    ]);
    expect(outcomesOf("trades", new TopicReader({ epoch: 1, sequence: 44 }))).toEqual([
      "old",
      "old",
    ]);
  });

  test("sees a broken chain", () => {
    const outcomes = outcomesOf("a-loss", new TopicReader({ epoch: 1, sequence: 0 }));
    expect(outcomes.slice(0, 2)).toEqual(["events 3", "lost 1"]);
  });

  test("reports bytes that are no batch", () => {
    const reader = new TopicReader({ epoch: 1, sequence: 0 });
    expect(reader.read(Uint8Array.of(0xff), 0, 1).outcome).toBe("broken");
  });
});
