// The levels of a book as a client keeps them that is written from proto/wire.md alone.
import { crc32 } from "node:zlib";

type PlainLevels = readonly (readonly [price: string, size: string])[];
type PlainBookEvent = {
  readonly replaces?: boolean;
  readonly bids?: PlainLevels;
  readonly asks?: PlainLevels;
};

/** What a gateway says of a book, as another library decodes it. */
type SaidChecksum = {
  readonly topicId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly crc32: number;
};

/** Both sides of one book. */
export class WireLevels {
  readonly #bids = new Map<string, string>();
  readonly #asks = new Map<string, string>();

  take({ replaces = false, bids, asks }: PlainBookEvent): void {
    for (const [levels, changes] of [
      [this.#bids, bids],
      [this.#asks, asks],
    ] as const) {
      if (changes === undefined) continue;
      if (replaces) levels.clear();
      for (const [price, size] of changes) {
        if (size === "0") levels.delete(price);
        else levels.set(price, size);
      }
    }
  }

  get checksum(): number {
    return crc32(`${textOf(this.#bids, -1)}|${textOf(this.#asks, 1)}`);
  }
}

/** The reading of a checksum by a client that stands there, or elsewhere. */
export function checksumReading(
  { topicId, epoch, sequence, crc32: said }: SaidChecksum,
  isHere: boolean,
  checksum: number,
): Record<string, unknown> {
  const reading = { topicId, reading: "checksum", epoch, sequence };
  return isHere ? { ...reading, matches: checksum === said } : reading;
}

function textOf(levels: ReadonlyMap<string, string>, sign: number): string {
  return [...levels]
    .toSorted(([one], [other]) => sign * (Number(one) - Number(other)))
    .slice(0, 1_000)
    .map(([price, size]) => `${price}:${size},`)
    .join("");
}
