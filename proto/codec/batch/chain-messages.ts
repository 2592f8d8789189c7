import * as BatchField from "../../gen/batch-field.ts";
import { malformed } from "../wire-error.ts";
import { readBase } from "./base-reader.ts";
import { SEQUENCE_RESIDUE_MODULUS, markOf } from "./batch-marks.ts";
import { ALL_PAYLOADS } from "./batch-reader.ts";
import { readBusBatch } from "./bus-batch.ts";
import { beginMessage, finishMessage } from "./bus-message.ts";
import type { ChainState } from "./chain-state.ts";
import { FieldScan } from "./field-scan.ts";
import { eventsOfTimes, readTimes, takeMark, timesOf } from "./times-codec.ts";

// Reading is synchronous and never re-entered.
const scan = new FieldScan(BatchField.SHAPES);

/**
 * The messages of a chain of the bus, put together again of their cores: what the base of a message
 * says is what a reader of the chain knows before its core. So whoever keeps a chain keeps a whole
 * message now and then, and of the others the cores alone. They come out as their writer wrote
 * them, if that was of this schema: of a newer one, a base says more than is read here.
 */
export class ChainMessages {
  #state: ChainState | undefined;

  /** Begins with a whole message. Throws WireError for bytes that are none. */
  begin(message: Uint8Array): void {
    const { baseStart, baseEnd, coreStart, coreEnd, channel } = readBusBatch(message);
    if (ALL_PAYLOADS[channel] === undefined) throw malformed(`channel ${channel} is not known`);
    scan.scan(message, baseStart, baseEnd);
    const state = readBase(
      message,
      scan.start(BatchField.Base),
      scan.end(BatchField.Base),
      ALL_PAYLOADS,
    );
    scan.scan(message, coreStart, coreEnd);
    state.generation = Math.floor(takeMark(scan) / SEQUENCE_RESIDUE_MODULUS);
    this.#state = undefined;
    pass(state);
    this.#state = state;
  }

  /**
   * The message of the core that lies here, which goes on from the message before it without
   * `rebase`. Its bytes are nobody's to change. Throws WireError if it goes on from another one.
   */
  next(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const state = this.#state;
    if (state === undefined) throw malformed("a chain begins with a whole message");
    this.#state = undefined;
    const baseSequence = state.sequence;
    // The base in it is the state before the events.
    const writer = beginMessage(state);
    scan.scan(bytes, start, end);
    const { count, skipped, publishedTimeUs } = pass(state);
    writer.reserve(end - start);
    writer.bytes.set(bytes.subarray(start, end), writer.position);
    writer.position += end - start;
    const head = { publishedTimeUs, skipped, snapshot: false };
    const message = finishMessage(state, head, { baseSequence, count, rebase: false });
    this.#state = state;
    return message.bytes;
  }
}

/** Moves the state behind the core that was scanned. */
function pass(state: ChainState): { count: number; skipped: number; publishedTimeUs: number } {
  const count = eventsOfTimes(scan.entries(BatchField.Times), state.venueTimeUnitUs);
  const skipped = scan.unsigned(BatchField.Skipped, "skipped");
  const last = state.sequence + skipped + count;
  if (count < 0 || takeMark(scan) !== markOf(last, state.generation)) {
    throw malformed("a core does not go on from the message before it");
  }
  const times = readTimes(scan, state, count);
  state.sequence = last;
  const payload = ALL_PAYLOADS[state.channel];
  payload?.readColumns?.(scan, state, count);
  payload?.readRows?.(scan, state, count, timesOf(times));
  return { count, skipped, publishedTimeUs: times.publishedTimeUs };
}
