import { readdirSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import type { CaptureRecord } from "#ingest/capture/capture-format.ts";
import type { BookProof } from "#ingest/feed/feed-adapter.ts";
import { capturePath } from "#test/support/captures.ts";
import { createPrng, type Prng } from "#test/support/prng.ts";
import { type CaptureWindow, WindowRun, windowsOf } from "./capture-mutations.ts";

// Recordings with one frame lost, repeated, moved or damaged, against the books of the recording as
// it is. A live book must be the true one, unless the adapter says of its venue that nothing shows
// such a fault; and what one instrument lost must not cost another its book.

const CAPTURES = [
  "binance-4-small-pairs",
  "binance-btcusdt-345s",
  "binance-usdm-4-pairs",
  "binance-usdm-btcusdt-345s",
  "bitfinex-7-pairs",
  "bitget-v1-10-pairs",
  "bitstamp-10-pairs",
  "coinbase-10-pairs",
  "deribit-10-options",
  "gateio-10-pairs",
  "htx-10-pairs",
  "kraken-v1-10-pairs",
  "kraken-v2-btcusd-depth10-resubscribes",
  "kraken-v2-ethusd",
  "kucoin-10-pairs",
  "okx-3-instruments",
] as const;
const KINDS = ["dropped", "duplicated", "swapped", "truncated", "digit"] as const;
const CASES_PER_CAPTURE = 150;
const WINDOWS_MAX = 6;
const FRAMES_MAX = 70;

type Kind = (typeof KINDS)[number];
type Proof = Pick<BookProof, "order" | "content" | "checksumLevels">;
type Outcome = "harmless" | "noticed" | "repaired" | "unseen";

/** Where a recording is of a protocol that proved its books otherwise than today's. */
const OLD_PROOFS: Partial<Record<string, Proof>> = {
  // Recorded without asking for checksums.
  "bitfinex-7-pairs": { order: "connection-sequence", content: "none" },
  // Checksums and no numbers.
  "okx-3-instruments": { order: "checksum", content: "checksum", checksumLevels: 25 },
};

/** The recording as it is: what is true after each of its lines. */
type Truth = {
  readonly hashes: ReadonlyMap<string, readonly number[]>;
  readonly bests: ReadonlyMap<string, readonly string[]>;
  readonly live: ReadonlyMap<string, readonly boolean[]>;
};

const report: string[] = [];
afterAll(() => {
  if (report.length > 0) process.stdout.write(`${report.join("\n")}\n`);
});

test("every recording that is there is among those that are damaged", () => {
  const path = capturePath(CAPTURES[0]);
  if (path === undefined) return;
  const folder = path.slice(0, path.lastIndexOf("/"));
  const names = readdirSync(folder).filter((name) => name.endsWith(".ndjson.gz"));
  expect(names.map((name) => name.replace(".ndjson.gz", "")).toSorted()).toEqual([...CAPTURES]);
});

for (const [number, name] of CAPTURES.entries()) {
  const path = capturePath(name);
  describe.skipIf(path === undefined)(`${name}`, async () => {
    const options = { windowsMax: WINDOWS_MAX, framesMax: FRAMES_MAX };
    const windows = path === undefined ? [] : await windowsOf(path, options);

    test("has books to damage", () => {
      expect(windows.length).toBeGreaterThan(0);
    });

    test(`${CASES_PER_CAPTURE} damaged copies: a live book is right or its venue cannot show it`, () => {
      const wrong: string[] = [];
      const counts = new Map<string, number>();
      const truths = windows.map((window) => truthOf(window, name));
      for (let index = 0; index < CASES_PER_CAPTURE && windows.length > 0; index++) {
        const kind = KINDS[index % KINDS.length]!;
        const which = Math.floor(index / KINDS.length) % windows.length;
        const prng = createPrng(number * 100_000 + index);
        const mutant = mutated(windows[which]!, kind, prng);
        const judgement = judge(mutant, truths[which]!, proofOf(windows[which]!, name));
        if (judgement.complaint !== undefined) wrong.push(`${index}: ${judgement.complaint}`);
        const key = `${kind} ${judgement.outcome}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      const texts = [...counts]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, count]) => `${key} ${count}`);
      report.push(`${name}: ${texts.join(", ")}`);
      expect(wrong).toEqual([]);
    });

    test("without the snapshots that its books begin with no book is ever live", () => {
      for (const window of windows) {
        const run = new WindowRun(window);
        for (const { line } of window.lines) {
          if (!window.snapshots.has(line)) run.take(line);
          expect(run.live()).toEqual([]);
        }
        run.close();
      }
    });
  });
}

type Mutant = {
  readonly window: CaptureWindow;
  readonly kind: Kind;
  /** The line that was changed, and the last one that was. */
  readonly at: number;
  readonly last: number;
  /** What arrives in place of each line. */
  linesAt(index: number): readonly CaptureRecord[];
};

function mutated(window: CaptureWindow, kind: Kind, prng: Prng): Mutant {
  const { lines, received } = window;
  const position = positionIn(window, prng);
  const at = received[position]!;
  const next = nextOf(window, position);
  const line = lines[at]!.line;
  const other = lines[next]!.line;
  const replaced = new Map<number, readonly CaptureRecord[]>();
  if (line.kind !== "received" || other.kind !== "received") throw new Error("no frames");
  switch (kind) {
    case "dropped":
      replaced.set(at, []);
      break;
    case "duplicated":
      replaced.set(at, [line, line]);
      break;
    case "swapped":
      replaced.set(at, [{ ...other, atUs: line.atUs }]);
      replaced.set(next, [{ ...line, atUs: other.atUs }]);
      break;
    case "truncated":
      replaced.set(at, [{ ...line, frame: line.frame.slice(0, prng.below(line.frame.length)) }]);
      break;
    case "digit":
      replaced.set(at, [{ ...line, frame: withOtherDigit(line.frame, prng) }]);
      break;
  }
  return {
    window,
    kind,
    at,
    last: kind === "swapped" ? next : at,
    linesAt: (index) => replaced.get(index) ?? [lines[index]!.line],
  };
}

/** Mostly a frame about a book, now and then any other. */
function positionIn({ lines, received }: CaptureWindow, prng: Prng): number {
  const any = prng.chance(0.2);
  for (;;) {
    const position = prng.below(received.length - 1);
    if (any || lines[received[position]!]!.books.length > 0) return position;
  }
}

/** The line of the next frame about the same book; of the next frame at all if there is none. */
function nextOf({ lines, received }: CaptureWindow, position: number): number {
  const [symbol] = lines[received[position]!]!.books;
  const later = received.slice(position + 1);
  const same = later.find((at) => symbol !== undefined && lines[at]!.books.includes(symbol));
  return same ?? later[0]!;
}

/** With one of its digits changed, inside of the compression where there is one. */
function withOtherDigit(frame: string | Uint8Array, prng: Prng): string | Uint8Array {
  if (typeof frame !== "string") {
    const text = gunzipSync(frame).toString("utf8");
    return new Uint8Array(gzipSync(withOtherDigit(text, prng)));
  }
  const places = [...frame.matchAll(/\d/g)].map(({ index }) => index);
  if (places.length === 0) return frame;
  const place = prng.pick(places);
  const digit = (Number(frame[place]) + 1 + prng.below(9)) % 10;
  return `${frame.slice(0, place)}${digit}${frame.slice(place + 1)}`;
}

function truthOf(window: CaptureWindow, name: string): Truth {
  const levels = proofOf(window, name).checksumLevels;
  const truth = {
    hashes: new Map<string, number[]>(),
    bests: new Map<string, string[]>(),
    live: new Map<string, boolean[]>(),
  };
  const run = new WindowRun(window);
  for (const [index, { line }] of window.lines.entries()) {
    run.take(line);
    for (const [symbol, book] of run.books) {
      columnOf(truth.hashes, symbol)[index] = book.hash;
      columnOf(truth.live, symbol)[index] = run.isLive(symbol);
      if (levels !== undefined) columnOf(truth.bests, symbol)[index] = book.best(levels);
    }
  }
  run.close();
  return truth;
}

function columnOf<Value>(columns: Map<string, Value[]>, symbol: string): Value[] {
  let column = columns.get(symbol);
  if (column === undefined) columns.set(symbol, (column = []));
  return column;
}

/** Runs what was changed and says what came of it, and what must not have come of it. */
function judge(
  mutant: Mutant,
  truth: Truth,
  proof: Proof,
): { readonly outcome: Outcome; readonly complaint: string | undefined } {
  const { window, at, last } = mutant;
  const concerned = new Set([...window.lines[at]!.books, ...window.lines[last]!.books]);
  /** Books whose message after the change has come, so that numbers would have shown it. */
  const followed = new Set<string>();
  const lost = new Set<string>();
  let complaint: string | undefined;
  let wasWrong = false;
  let isWrong = false;
  const run = new WindowRun(window);
  for (let index = 0; index < window.lines.length; index++) {
    for (const line of mutant.linesAt(index)) run.take(line);
    if (index < last) continue;
    if (index > last) for (const symbol of window.lines[index]!.books) followed.add(symbol);
    isWrong = false;
    for (const [symbol, book] of run.books) {
      if (!run.isLive(symbol)) {
        if (truth.live.get(symbol)?.[index] === true) lost.add(symbol);
        continue;
      }
      if (book.hash === truth.hashes.get(symbol)?.[index]) continue;
      isWrong = true;
      wasWrong = true;
      const bestIsRight =
        proof.checksumLevels !== undefined &&
        book.best(proof.checksumLevels) === truth.bests.get(symbol)?.[index];
      if (mayBeWrong(mutant.kind, proof, { bestIsRight, isFollowed: followed.has(symbol) })) {
        // What a checksum does not cover may also be lost with the word on how deep the book is.
        if (concerned.has(symbol) || mutant.kind === "digit" || bestIsRight) continue;
      }
      complaint ??= `${symbol} is wrong and live at line ${index}, ${mutant.kind} at ${at}`;
    }
  }
  run.close();
  const strangers = [...lost].filter((symbol) => !concerned.has(symbol));
  if (strangers.length > strangersAllowed(mutant.kind, proof)) {
    complaint ??= `${strangers.join(" and ")} lost for ${mutant.kind} at ${at}`;
  }
  if (lost.size > 0) return { outcome: "noticed", complaint };
  if (isWrong) return { outcome: "unseen", complaint };
  return { outcome: wasWrong ? "repaired" : "harmless", complaint };
}

/** Whether the venue's proof allows that a live book differs from the true one. */
function mayBeWrong(
  kind: Kind,
  proof: Proof,
  seen: { readonly bestIsRight: boolean; readonly isFollowed: boolean },
): boolean {
  // Sizes are absolute: to hear them twice changes nothing.
  if (kind === "duplicated") return false;
  if (!seen.isFollowed) return true;
  if (kind === "digit") return proof.content === "none" || seen.bestIsRight;
  if (proof.order === "checksum") return seen.bestIsRight;
  return proof.order === "none";
}

/** How many books may be lost that the changed frame was not about. */
function strangersAllowed(kind: Kind, proof: Proof): number {
  if (proof.order === "connection-sequence") return Infinity;
  if (kind === "dropped" || kind === "duplicated" || kind === "swapped") return 0;
  // Nobody can say what a frame was about whose name is cut off, and no number shows it.
  if (proof.order !== "sequence") return Infinity;
  return kind === "digit" ? 1 : 0;
}

function proofOf(window: CaptureWindow, name: string): Proof {
  return OLD_PROOFS[name] ?? window.adapter.bookProof;
}
