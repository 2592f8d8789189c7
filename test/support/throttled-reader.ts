import { connect, type Client, type StreamEvent, type SubscribeOptions } from "@tickwire/client";
import { NarrowWire } from "./narrow-wire.ts";
import { StreamLedger } from "./stream-ledger.ts";

/** How one reader reads. */
export type ReaderKind = {
  readonly name: string;
  /** Undefined: as fast as it can. */
  readonly bytesPerSecond?: number;
  readonly options?: SubscribeOptions;
};

/** So often a slow line lets something through. */
const TICK_MS = 50;
const LATENCIES_MAX = 2_000_000;

/** A client behind a line of a given speed, which keeps its books. */
export class ThrottledReader {
  readonly kind: ReaderKind;
  readonly ledger: StreamLedger;
  readonly client: Client;
  /** Times on which it was told that it reads too slowly. */
  lags = 0;
  /** Gaps of which it heard before it was told so. */
  gapsBeforeLag = 0;
  /** Codes with which the gateway closed. */
  readonly closeCodes: number[] = [];
  /** From the publication of an event to the program, in milliseconds. */
  #latenciesMs: number[] = [];
  readonly #wire: NarrowWire | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(kind: ReaderKind, client: Client, wire: NarrowWire | undefined) {
    this.kind = kind;
    this.client = client;
    this.#wire = wire;
    const isSlow = kind.bytesPerSecond !== undefined;
    const isView = (kind.options?.conflationIntervalMs ?? 0) > 0;
    this.ledger = new StreamLedger({ isConflated: isSlow || isView });
    client.onState((_state, { error }) => {
      if (error?.closeCode !== undefined) this.closeCodes.push(error.closeCode);
    });
  }

  static async open(kind: ReaderKind, gatewayPort: number): Promise<ThrottledReader> {
    const isSlow = kind.bytesPerSecond !== undefined;
    const wire = isSlow ? await NarrowWire.open(gatewayPort) : undefined;
    const connecting = connect(`ws://127.0.0.1:${wire?.port ?? gatewayPort}`, {
      compression: false,
      pingIntervalMs: 0,
      reconnect: { baseMs: 100, maxMs: 200 },
    });
    const opening = setInterval(() => wire?.pass(100_000), TICK_MS);
    const client = await connecting;
    clearInterval(opening);
    return new ThrottledReader(kind, client, wire);
  }

  /** Begins to read. */
  subscribe(topics: readonly string[]): void {
    this.client.subscribe(topics, (event) => this.#take(event), this.kind.options);
    this.#passAt(this.kind.bytesPerSecond ?? 0);
  }

  /** From now on the line is as fast as it can be. */
  hurry(): void {
    this.#passAt(1_000_000_000);
  }

  /** What the latencies since the last call come to. */
  takeLatenciesMs(): { readonly p50: number; readonly p99: number } {
    const sorted = this.#latenciesMs.toSorted((one, other) => one - other);
    this.#latenciesMs = [];
    const at = (part: number): number => sorted[Math.floor(sorted.length * part)] ?? 0;
    return { p50: at(0.5), p99: at(0.99) };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.client.close();
    await this.#wire?.close();
  }

  #passAt(bytesPerSecond: number): void {
    if (this.#wire === undefined) return;
    clearInterval(this.#timer);
    const bytes = Math.ceil((bytesPerSecond * TICK_MS) / 1_000);
    this.#timer = setInterval(() => this.#wire?.pass(bytes), TICK_MS);
  }

  #take(event: StreamEvent): void {
    this.ledger.take(event);
    if (event.type === "lag") this.lags += 1;
    else if (event.type === "gap") this.gapsBeforeLag += this.lags === 0 ? 1 : 0;
    else if ("publishedTimeUs" in event && this.#latenciesMs.length < LATENCIES_MAX) {
      this.#latenciesMs.push(Date.now() - event.publishedTimeUs / 1_000);
    }
  }
}
