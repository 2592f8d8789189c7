import type { SessionLink } from "../session/session-part.ts";
import { ClockOffsets } from "./clock-offset.ts";
import { LagHistogram, type LagPercentiles } from "./lag-histogram.ts";

const PING_INTERVAL_MS = 30_000;
/** The first pings come quickly after each other, so that one of them is a quick one. */
const FIRST_PINGS = 4;
const FIRST_INTERVAL_MS = 250;
/** Those of the connection's watchdog count from 1. */
const NONCE_BASE = 2 ** 40;

/** What is looked at of a batch. */
export type MeasuredBatch = {
  readonly snapshot: boolean;
  readonly publishedTimeUs: number;
  readonly venueTimesUs: ArrayLike<number | undefined>;
  readonly count: number;
};

/** What pings and the times of batches tell. */
export type Lags = {
  /** Of the quickest of the last pings; undefined before the first answer. */
  readonly roundTripMs: number | undefined;
  /** What is added to the client's clock to have the gateway's. */
  readonly clockOffsetUs: number | undefined;
  /** From the venue to here, since it was asked for before. */
  readonly venueLag: LagPercentiles | undefined;
  /** From the publication to here. */
  readonly publishedLag: LagPercentiles | undefined;
};

/** Measures how late batches come, on the gateway's clock, for which it pings now and then. */
export class LagMeter {
  readonly #link: Pick<SessionLink, "clock" | "pacer" | "send">;
  readonly #offsets = new ClockOffsets();
  readonly #venueLag = new LagHistogram();
  readonly #publishedLag = new LagHistogram();
  #cancelPing: () => void = () => undefined;
  #pings = 0;
  #pingSentAtUs = 0;
  #offsetUs: number | undefined;

  constructor(link: Pick<SessionLink, "clock" | "pacer" | "send">) {
    this.#link = link;
  }

  /** A connection is there, whose clock is another. */
  begin(): void {
    this.end();
    this.#offsets.clear();
    this.#offsetUs = undefined;
    this.#ping(1);
  }

  /** The connection is gone. */
  end(): void {
    this.#cancelPing();
  }

  /** Samples a batch. */
  batch(batch: MeasuredBatch): void {
    if (this.#offsetUs === undefined || batch.snapshot) return;
    const nowUs = this.#link.clock.nowUs() + this.#offsetUs;
    this.#publishedLag.observe(nowUs - batch.publishedTimeUs);
    const venueTimeUs = batch.venueTimesUs[batch.count - 1];
    if (venueTimeUs !== undefined) this.#venueLag.observe(nowUs - venueTimeUs);
  }

  /** An answer to a ping, perhaps to one of somebody else. */
  pong({ nonce, serverTimeUs }: { readonly nonce: number; readonly serverTimeUs: number }): void {
    if (nonce !== NONCE_BASE + this.#pings) return;
    this.#offsets.observe(this.#pingSentAtUs, this.#link.clock.nowUs(), serverTimeUs);
    this.#offsetUs = this.#offsets.best?.offsetUs;
  }

  /** What came of it since it was asked for before. */
  take(): Lags {
    const { best } = this.#offsets;
    return {
      roundTripMs: best && best.roundTripUs / 1_000,
      clockOffsetUs: best && Math.round(best.offsetUs),
      venueLag: this.#venueLag.take(),
      publishedLag: this.#publishedLag.take(),
    };
  }

  #ping(count: number): void {
    const { clock, pacer, send } = this.#link;
    this.#pings += 1;
    this.#pingSentAtUs = clock.nowUs();
    pacer.charge(1);
    send([{ kind: "ping", value: { nonce: NONCE_BASE + this.#pings } }]);
    const delayMs = count < FIRST_PINGS ? FIRST_INTERVAL_MS : PING_INTERVAL_MS;
    this.#cancelPing = clock.after(delayMs, () => this.#ping(count + 1));
  }
}
