// proto/README.md is the specification: what it shows in bytes and numbers is what the code does.
import { readFileSync, readdirSync } from "node:fs";
import { tickwire } from "@tickwire/proto/protobufjs";
import {
  BATCH_EVENTS_MAX,
  DECIMAL_TEXT_LENGTH_MAX,
  EMPTY_BATCH_EVENTS_MAX,
  SCALE_MAX,
  encodeBatch,
  readBatch,
  rowsOf,
  walkServerFrame,
} from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { CHANNELS } from "#core/instrument.ts";
import { SUBSCRIPTION_LIFE } from "#ingest/feed/connection/subscription-life.ts";
import { CloseCode } from "#wire/codes.ts";
import { wrapBatch } from "#wire/frame-codec.ts";
import { big, oracleEvents, plainTrade } from "./codec-oracle.ts";

const specification = readFileSync(new URL("../../proto/README.md", import.meta.url), "utf8");

const STATES = ["syncing", "live", "stale", "gap", "resyncing", "down"];

/** The block of that language with that index. */
function codeBlock(language: string, index: number): string[] {
  const block = specification.split(`\`\`\`${language}\n`)[index + 1];
  return (block?.split("\n```")[0] ?? "").split("\n");
}

/** Pairs of digits at the start of a line are bytes; what follows explains them. */
function bytesOf(lines: readonly string[]): Uint8Array {
  const pairs = lines.flatMap(
    (line) => /^(?:[0-9a-f]{2}(?: |$))*/.exec(line)?.[0].split(" ") ?? [],
  );
  return Uint8Array.from(pairs.filter(Boolean), (pair) => Number.parseInt(pair, 16));
}

function eventsOf(lines: readonly string[]): unknown[] {
  return lines.map((line) => ({
    venueTimeUs: undefined,
    historical: false,
    ...(JSON.parse(line) as object),
  }));
}

const frame = bytesOf(codeBlock("hex", 0));
const events = eventsOf(codeBlock("json", 0));

describe("the example of what readers get wrong", () => {
  const awkward = bytesOf(codeBlock("hex", 1));
  const expected = eventsOf(codeBlock("json", 1));

  test("is the events beside it, to our reader", () => {
    const rows: unknown[] = [];
    walkServerFrame(awkward, {
      message: () => undefined,
      batch: (start, end) => {
        const read = rowsOf(readBatch(awkward, start, end));
        if (read.kind === "trades") rows.push(...read.rows.map(plainTrade));
      },
    });
    expect(rows).toHaveLength(4);
    expect(rows).toEqual(expected);
  });

  test("is the events beside it, to protobufjs", () => {
    const [batch] = tickwire.v1.ServerFrame.decode(awkward).batches;
    expect(oracleEvents(tickwire.v1.Batch.encode(batch ?? {}).finish())).toEqual(expected);
  });
});

describe("the worked example", () => {
  test("is the events beside it, to our reader", () => {
    const batches: ReturnType<typeof readBatch>[] = [];
    walkServerFrame(frame, {
      message: () => undefined,
      batch: (start, end) => batches.push(readBatch(frame, start, end)),
    });
    expect(batches).toHaveLength(1);
    const [batch] = batches;
    expect(batch).toMatchObject({ topicId: 5, epoch: 1, firstSequence: 41, count: 3 });
    const rows = batch && rowsOf(batch);
    expect(rows?.kind === "trades" && rows.rows.map(plainTrade)).toEqual(events);
  });

  test("is the events beside it, to protobufjs", () => {
    const [batch] = tickwire.v1.ServerFrame.decode(frame).batches;
    expect(big(batch?.firstSequence)).toBe(41n);
    expect(oracleEvents(tickwire.v1.Batch.encode(batch ?? {}).finish())).toEqual(events);
  });

  test("is what our writer writes", () => {
    const time = { receivedTimeUs: 1_767_225_600_000_400, priceScale: 2, sizeScale: 3 } as const;
    const batch = encodeBatch(
      { epoch: 1, firstSequence: 41, publishedTimeUs: 1_767_225_600_000_900 },
      {
        kind: "trades",
        rows: [
          {
            ...time,
            venueTimeUs: 1_767_225_600_000_000,
            priceMantissa: 4_200_050,
            sizeMantissa: 10,
            aggressorSide: "buyer",
            tradeId: "17",
            historical: false,
          },
          {
            ...time,
            venueTimeUs: 1_767_225_600_000_100,
            priceMantissa: 4_200_040,
            sizeMantissa: 2_500,
            aggressorSide: "seller",
            tradeId: "18",
            historical: false,
          },
          {
            ...time,
            receivedTimeUs: 1_767_225_600_000_450,
            venueTimeUs: undefined,
            priceMantissa: 4_200_040,
            sizeMantissa: 2n ** 63n,
            aggressorSide: "none",
            tradeId: "19",
            historical: false,
          },
        ],
      },
    );
    expect(Buffer.from(wrapBatch(5, batch)).toString("hex")).toBe(
      Buffer.from(frame).toString("hex"),
    );
  });
});

describe("the tables", () => {
  const rowsWith = (pattern: RegExp): string[][] =>
    specification
      .split("\n")
      .filter((line) => pattern.test(line))
      .map((line) => line.split("|").map((cell) => cell.trim()));

  test("list every close code of the schema, and none else", () => {
    const documented = rowsWith(/^\| 4\d\d\d /).map(([, code, name]) => [
      `CLOSE_CODE_${name}`,
      Number(code),
    ]);
    const { CLOSE_CODE_UNSPECIFIED, ...codes } = tickwire.v1.CloseCode;
    expect(CLOSE_CODE_UNSPECIFIED).toBe(0);
    const named = Object.entries(codes).filter(([, value]) => typeof value === "number");
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(named));
    expect(new Set<unknown>(Object.values(CloseCode))).toEqual(
      new Set(named.map(([, code]) => code)),
    );
  });

  test("say which close codes ask the client to come back", () => {
    expect(CloseCode.SlowConsumer).toBeLessThan(4500);
    expect(CloseCode.HelloTimeout).toBeLessThan(4500);
    expect(CloseCode.ProtocolError).toBeGreaterThanOrEqual(4500);
  });

  test("list every topic error of the schema", () => {
    const documented = rowsWith(/^\| [A-Z_]+ +\|.*\| (?:yes|no) +\|$/).map(
      ([, name]) => `TOPIC_ERROR_${name}`,
    );
    const { TOPIC_ERROR_UNSPECIFIED, ...errors } = tickwire.v1.TopicError;
    expect(TOPIC_ERROR_UNSPECIFIED).toBe(0);
    const names = Object.keys(errors).filter((name) => name.startsWith("TOPIC_ERROR_"));
    expect(documented.toSorted()).toEqual(names.toSorted());
  });

  test("list every reason that ingest gives for a state", () => {
    const ingest = new URL("../../services/ingest/", import.meta.url);
    const files = ["", "venue/", "feed/", "feed/connection/", "feed/rest/"].flatMap((folder) =>
      readdirSync(new URL(folder, ingest))
        .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
        .map((name) => readFileSync(new URL(folder + name, ingest), "utf8")),
    );
    const builder = readFileSync(new URL("../core/book-output.ts", ingest), "utf8");
    const union = /export type BookReason =(.*?);/s.exec(builder)?.[1] ?? "";
    const life = Object.values(SUBSCRIPTION_LIFE).flatMap((events) => Object.values(events));
    const told = life.flatMap((step) => (step.told === undefined ? [] : [step.told.reason]));
    // Texts among the arguments of what reports a state, but for the channel and the state.
    const calls = /(?:onState|onChannelState|resync)\([^;{}]*\);|reason: "[a-z-]+"/g;
    const others: readonly string[] = [...CHANNELS, ...STATES];
    const given = files
      .flatMap((text) => [...text.matchAll(calls)])
      .flatMap(([call]) => call.match(/(?<=")[a-z-]+(?=")/g) ?? [])
      .filter((word) => !others.includes(word))
      .concat(told);
    const reasons = new Set([...given, ...(union.match(/(?<=")[a-z-]+(?=")/g) ?? [])]);
    expect(reasons).toContain("silent");
    expect(reasons).toContain("poll-failed");
    expect(reasons).toContain("checksum-mismatch");
    const documented = rowsWith(/^\| `[a-z-]+` +\| [a-z]+/).map(([, name]) => name);
    expect([...reasons].filter((reason) => !documented.includes(`\`${reason}\``))).toEqual([]);
  });

  test("list every RPC code of the schema", () => {
    for (const name of Object.keys(tickwire.v1.Code)) {
      if (!name.startsWith("CODE_") || name === "CODE_UNSPECIFIED") continue;
      expect(specification).toMatch(new RegExp(`\\| ${name.slice("CODE_".length)} .*\\d{3} `));
    }
  });

  test.each([
    ["events of a batch ", BATCH_EVENTS_MAX],
    ["events of a batch shorter", EMPTY_BATCH_EVENTS_MAX],
    ["scale", SCALE_MAX],
    ["a decimal as text", DECIMAL_TEXT_LENGTH_MAX],
  ])("give the limit of %s", (name, limit) => {
    const [row] = rowsWith(new RegExp(`^\\| ${name}`));
    expect(row?.[2]).toMatch(new RegExp(`^${limit.toLocaleString("en")}`));
  });
});
