import type { TradeRow } from "@tickwire/proto/codec";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { StreamLogError } from "#bus/stream-log.ts";
import { idleLine } from "#test/support/idle-line.ts";
import { ListedLog, tradeBatches } from "#test/support/listed-log.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { EventLog } from "../history/event-log.ts";
import { createGatewayMetrics } from "../metrics.ts";
import { LoggedRows, pageOfPast } from "./logged-rows.ts";
import type { RowReader, RowsPage } from "./logged-rows.ts";
import { RpcError } from "./rpc-error.ts";

const NAME = { venue: "fake", symbol: "A-USD", channel: "trades" } as const;
const SUBJECT = "md.v2.fake.trades.A-USD";
const SILENT = { info() {}, warn() {}, error() {}, debug() {} };
const SECOND_US = 1_000_000;

/** A row is its epoch and sequence; its time is when it was received. */
const READER: RowReader<string> = {
  replaces: false,
  lateUs: 5 * SECOND_US,
  read: (event, sequence, epoch) => {
    const timeUs = (event as TradeRow).receivedTimeUs;
    return { row: `${epoch}/${sequence}`, epoch, key: sequence, timeUs };
  },
};

/** Two epochs: 30 trades in 15 batches, then 10 in 5, a batch a second. */
function rig() {
  const listed = new ListedLog();
  const clock = new ManualClock();
  const metrics = createGatewayMetrics(new Registry());
  let second = 0;
  for (const [epoch, count] of [
    [7, 15],
    [4, 5],
  ] as const) {
    for (let index = 0; index < count; index += 1) {
      second += 1;
      const publishedTimeUs = second * SECOND_US;
      const [bytes] = tradeBatches({ epoch, sequence: index * 2, counts: [2], publishedTimeUs });
      listed.put(SUBJECT, bytes!, publishedTimeUs);
    }
  }
  const log = new EventLog({ log: listed, clock, logger: SILENT, metrics });
  const { signal } = new AbortController();
  const spent: number[] = [];
  const spend = (price: number) => void spent.push(price);
  const context = { line: idleLine(), spend, signal };
  return { listed, spent, rows: new LoggedRows({ log, name: NAME, reader: READER, context }) };
}

const ALL = [
  ...Array.from({ length: 30 }, (_, index) => `7/${index + 1}`),
  ...Array.from({ length: 10 }, (_, index) => `4/${index + 1}`),
];

const ASKED = { fromTimeUs: 0, toTimeUs: 0, pageSize: 7, pageToken: "", query: "q" };

async function walk(next: (pageToken: string) => Promise<RowsPage<string>>): Promise<string[][]> {
  const pages: string[][] = [];
  let pageToken = "";
  do {
    const page = await next(pageToken);
    pages.push([...page.rows]);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && pages.length < 50);
  return pages;
}

describe("rows by the log", () => {
  test.each([1, 2, 7, 39, 40, 41])(
    "in pages of %i go on to the last, each once",
    async (pageSize) => {
      const { rows, spent } = rig();
      const asked = { ...ASKED, fromTimeUs: 1, pageSize };
      const pages = await walk((pageToken) => rows.later({ ...asked, pageToken }));
      expect(pages.flat()).toEqual(ALL);
      expect(spent.length).toBeGreaterThan(0);
    },
  );

  test.each([1, 2, 7, 39, 40, 41])(
    "in pages of %i go back to the first, each once",
    async (pageSize) => {
      const { rows } = rig();
      const pages = await walk((pageToken) =>
        rows.earlier({ ...ASKED, pageSize, pageToken }, undefined),
      );
      expect(pages.toReversed().flat()).toEqual(ALL);
    },
  );

  test("are those of a range of time", async () => {
    const { rows } = rig();
    // Received a microsecond before its batch was published.
    const asked = { ...ASKED, fromTimeUs: 3 * SECOND_US - 1, toTimeUs: 5 * SECOND_US - 1 };
    const { rows: given, nextPageToken } = await rows.later({ ...asked, pageSize: 100 });
    expect([given, nextPageToken]).toEqual([["7/5", "7/6", "7/7", "7/8"], ""]);
  });

  test("behind a page whose place is gone end with its reason", async () => {
    const { rows, listed } = rig();
    const { nextPageToken: pageToken } = await rows.later({ ...ASKED, fromTimeUs: 1 });
    listed.truncate(10);
    await expect(rows.later({ ...ASKED, fromTimeUs: 1, pageToken })).rejects.toMatchObject({
      code: "failed_precondition",
    });
  });

  test("of a log that is away are unavailable", async () => {
    const { rows, listed } = rig();
    listed.failure = new StreamLogError("log-unavailable", "no");
    await expect(rows.later({ ...ASKED, fromTimeUs: 1 })).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(await rows.oldestTimeUs()).toBeUndefined();
  });
});

describe("a page of the past", () => {
  const rowOf = (row: string) => {
    const [epoch = 0, key = 0] = row.split("/").map(Number);
    return { row, epoch, key, timeUs: (15 + Math.ceil(key / 2)) * SECOND_US - 1 };
  };
  const answer = (rows: readonly string[], kept = 18 * SECOND_US): RowsPage<string> => ({
    rows,
    nextPageToken: "",
    keptFromTimeUs: kept,
  });

  test("is the publisher's where that goes back far enough", async () => {
    const asked = { ...ASKED, fromTimeUs: 19 * SECOND_US };
    const page = await pageOfPast(async () => answer(["4/9"]), rig().rows, asked, rowOf);
    expect(page).toEqual(answer(["4/9"]));
  });

  test("begins in the log where the publisher keeps less than is asked for", async () => {
    const asked = { ...ASKED, fromTimeUs: 1, pageSize: 3 };
    const page = await pageOfPast(async () => answer(["4/9"]), rig().rows, asked, rowOf);
    expect(page.rows).toEqual(["7/1", "7/2", "7/3"]);
  });

  test("of the latest goes on in the log where the publisher's end", async () => {
    const { rows } = rig();
    const asked = { ...ASKED, pageSize: 4 };
    const page = await pageOfPast(async () => answer(["4/9", "4/10"]), rows, asked, rowOf);
    expect(page.rows).toEqual(["4/7", "4/8", "4/9", "4/10"]);
    const next = await rows.earlier({ ...asked, pageToken: page.nextPageToken }, undefined);
    expect(next.rows).toEqual(["4/3", "4/4", "4/5", "4/6"]);
  });

  test("is the log's where the publisher is gone, and an error where there is none", async () => {
    const gone = async () => {
      throw new RpcError("unavailable", "gone");
    };
    const asked = { ...ASKED, pageSize: 2 };
    expect((await pageOfPast(gone, rig().rows, asked, rowOf)).rows).toEqual(["4/9", "4/10"]);
    await expect(pageOfPast(gone, undefined, asked, rowOf)).rejects.toThrow("gone");
  });
});
