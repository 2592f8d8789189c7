// A capture of one market as if it were of another one, for a show that needs both.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";

/** What a Coinbase book becomes. Both factors multiply what the venue sent, to the last digit. */
type Move = {
  /** The capture that is read. */
  readonly path: string;
  readonly from: string;
  readonly to: string;
  readonly priceFactor: bigint;
  /** Sizes are divided by this power of ten. */
  readonly sizeShift: number;
};

type Level = readonly [price: string, size: string];
type CoinbaseFrame = {
  readonly type: string;
  readonly product_id?: string;
  readonly product_ids?: readonly string[];
  readonly channels?: readonly unknown[];
  readonly bids?: readonly Level[];
  readonly asks?: readonly Level[];
  readonly changes?: readonly (readonly [side: string, ...Level])[];
};

/**
 * Writes the snapshot and the changes of one Coinbase book, in their order and at their times,
 * under the name of another market and at its prices. The file is gone when the test is over.
 */
export function writeMovedCapture(move: Move): string {
  const folder = mkdtempSync(join(tmpdir(), "moved-capture-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const lines = gunzipSync(readFileSync(move.path)).toString().split("\n");
  const moved = lines.flatMap((text) => (text === "" ? [] : movedLine(text, move)));
  const path = join(folder, "moved.ndjson.gz");
  writeFileSync(path, gzipSync(`${moved.join("\n")}\n`));
  return path;
}

function movedLine(line: string, move: Move): readonly string[] {
  const { text, ...head } = JSON.parse(line) as { readonly text?: string };
  if (text === undefined) return [line];
  const frame = movedFrame(JSON.parse(text) as CoinbaseFrame, move);
  return frame === undefined ? [] : [JSON.stringify({ ...head, text: JSON.stringify(frame) })];
}

/** Undefined for what is of another market, and for trades. */
function movedFrame(frame: CoinbaseFrame, move: Move): CoinbaseFrame | undefined {
  const { type, bids = [], asks = [], changes = [] } = frame;
  const levelOf = ([price, size]: Level): Level => [
    multiplied(price, move.priceFactor, 0),
    multiplied(size, 1n, move.sizeShift),
  ];
  const named = { ...frame, product_id: move.to };
  switch (type) {
    case "subscribe":
      return { ...frame, product_ids: [move.to] };
    case "subscriptions":
      return { ...frame, channels: [{ name: "level2", product_ids: [move.to] }] };
    case "snapshot":
      if (frame.product_id !== move.from) return undefined;
      return { ...named, bids: bids.map(levelOf), asks: asks.map(levelOf) };
    case "l2update":
      if (frame.product_id !== move.from) return undefined;
      return { ...named, changes: changes.map(([side, ...level]) => [side, ...levelOf(level)]) };
    default:
      return undefined;
  }
}

/** A decimal times a whole number, divided by a power of ten. */
function multiplied(text: string, factor: bigint, shift: number): string {
  const [whole = "", fraction = ""] = text.split(".");
  const scale = fraction.length + shift;
  const digits = String(BigInt(whole + fraction) * factor).padStart(scale + 1, "0");
  if (scale === 0) return digits;
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
