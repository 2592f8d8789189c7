import type { Channel } from "#core/instrument.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { SimulatedSettings } from "./simulated-settings.ts";

/** What can be wrong with the line to a venue, and with what it says. */
type SimulatedFault =
  | ("dropped" | "delayed" | "reordered" | "crossed")
  /** Of all that an instrument, or a connection, carries. */
  | ("silenced" | "disconnected");

/** What becomes of one frame. */
type FrameFate = "passed" | "dropped" | "delayed" | "reordered";

type ChaosSettings = SimulatedSettings["chaos"];

/** Channels in which the order of two frames can be told. */
const ORDERED: ReadonlySet<Channel> = new Set<Channel>(["trades", "book"]);
/** What is due by the clock comes no sooner than this share of its mean distance. */
const DISTANCE_SHARE_MIN = 0.5;

/**
 * Decides which faults happen, and counts them. It draws from a row of random numbers of its own:
 * the market is the same with faults and without, and the same seed gives the same faults for the
 * same frames.
 */
export class SimulatedFaults {
  readonly #settings: ChaosSettings;
  readonly #random: SeededRandom;
  /** By fault, by channel; faults of a whole connection are counted under "". */
  readonly #counts = new Map<SimulatedFault, Map<Channel | "", number>>();
  #nextDisconnectUs = Infinity;
  #nextSilenceUs = Infinity;

  constructor(settings: ChaosSettings, seed: number) {
    this.#settings = settings;
    this.#random = new SeededRandom(Math.imul(seed, 0x85ebca6b) ^ 0xc2b2ae35);
  }

  /** How long a delayed frame, and all that comes behind it, waits. */
  get delayMs(): number {
    return this.#settings.delayMs;
  }

  get silenceMs(): number {
    return this.#settings.silenceMs;
  }

  /** How often each has happened so far, by channel. */
  counts(): { readonly fault: SimulatedFault; readonly channel: string; readonly count: number }[] {
    return [...this.#counts].flatMap(([fault, channels]) =>
      [...channels].map(([channel, count]) => ({ fault, channel, count })),
    );
  }

  /** How often one has happened so far. */
  count(fault: SimulatedFault, channel: Channel | "" = ""): number {
    return this.#counts.get(fault)?.get(channel) ?? 0;
  }

  /** What becomes of the next frame of a channel; it is counted. */
  fateOf(channel: Channel): FrameFate {
    const { dropShare, delayShare, reorderShare } = this.#settings;
    if (dropShare > 0 && this.#random.next() < dropShare) return this.#note("dropped", channel);
    if (ORDERED.has(channel) && reorderShare > 0 && this.#random.next() < reorderShare) {
      return "reordered";
    }
    if (delayShare > 0 && this.#random.next() < delayShare) return this.#note("delayed", channel);
    return "passed";
  }

  /** Two frames of this channel did change places. */
  reordered(channel: Channel): void {
    this.#note("reordered", channel);
  }

  /** Whether the next quote says a bid above its ask. */
  isCrossed(): boolean {
    const { crossedShare } = this.#settings;
    if (crossedShare === 0 || this.#random.next() >= crossedShare) return false;
    this.#note("crossed", "quotes");
    return true;
  }

  /** Faults that come by the clock count from here. */
  start(monotonicUs: number): void {
    const { disconnectIntervalMs, silenceIntervalMs } = this.#settings;
    this.#nextDisconnectUs = monotonicUs + this.#distanceUs(disconnectIntervalMs);
    this.#nextSilenceUs = monotonicUs + this.#distanceUs(silenceIntervalMs);
  }

  /** Which of so many connections is cut now; undefined if none is. */
  cutNow(monotonicUs: number, connections: number): number | undefined {
    if (monotonicUs < this.#nextDisconnectUs || connections === 0) return undefined;
    this.#nextDisconnectUs = monotonicUs + this.#distanceUs(this.#settings.disconnectIntervalMs);
    this.#note("disconnected", "");
    return this.#random.integer(connections);
  }

  /** Which of so many instruments falls silent now; undefined if none does. */
  silenceNow(monotonicUs: number, instruments: number): number | undefined {
    if (monotonicUs < this.#nextSilenceUs || instruments === 0) return undefined;
    this.#nextSilenceUs = monotonicUs + this.#distanceUs(this.#settings.silenceIntervalMs);
    this.#note("silenced", "");
    return this.#random.integer(instruments);
  }

  /** Infinity for what never comes. */
  #distanceUs(meanMs: number): number {
    if (meanMs === 0) return Infinity;
    const rest = this.#random.exponential(1 - DISTANCE_SHARE_MIN);
    return Math.round(meanMs * 1000 * (DISTANCE_SHARE_MIN + rest));
  }

  #note<Fault extends SimulatedFault>(fault: Fault, channel: Channel | ""): Fault {
    let channels = this.#counts.get(fault);
    if (channels === undefined) this.#counts.set(fault, (channels = new Map()));
    channels.set(channel, (channels.get(channel) ?? 0) + 1);
    return fault;
  }
}
