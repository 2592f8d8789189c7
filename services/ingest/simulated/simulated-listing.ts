import { type Channel, DERIVATIVE_CHANNELS } from "#core/instrument.ts";
import type { MinuteCandle } from "./market-statistics.ts";
import { OrderArrivals } from "./order-arrivals.ts";
import type { SimulatedFaults } from "./simulated-faults.ts";
import type { SimulatedInstrument } from "./simulated-instruments.ts";
import { type MarketAudience, SimulatedMarket } from "./simulated-market.ts";
import type { SimulatedSettings } from "./simulated-settings.ts";
import type { SimulatedSocket } from "./simulated-socket.ts";

/** What a market needs to know of the venue that it is a part of. */
type ListingOptions = Pick<SimulatedSettings, "seed" | "pace" | "bookLevels" | "volatility"> & {
  /** Its place among the venue's instruments. */
  readonly index: number;
  /** The price at which the market opens. */
  readonly openTicks: number;
  /** Hours before a moment, oldest first, that its 24 h statistics begin with. */
  readonly dayBefore: (timeUs: number) => readonly MinuteCandle[];
  readonly underlying: SimulatedMarket | undefined;
  readonly leader: SimulatedMarket | undefined;
  readonly followed: SimulatedMarket | undefined;
  readonly tether: SimulatedMarket | undefined;
  readonly faults: SimulatedFaults;
};

/** One instrument's market and who listens to each of its channels. */
export class SimulatedListing implements MarketAudience {
  readonly market: SimulatedMarket;
  readonly #faults: SimulatedFaults;
  readonly #sockets = new Map<Channel, SimulatedSocket[]>();
  readonly arrivals: OrderArrivals;
  /** Until when this market has moved, by the clock that is never set. */
  movedUs = 0;
  /** When it next says what comes by the clock. */
  nextSecondUs = 0;
  /** By the clock that is never set: until then nothing is heard of it, and it is not traded. */
  silentUntilUs = 0;
  haltedUntilUs = 0;
  #isSilent = false;

  constructor(instrument: SimulatedInstrument, options: ListingOptions) {
    const { pace, index, faults, ...rest } = options;
    const seed = Math.imul(options.seed, 0x9e3779b1) + index;
    this.#faults = faults;
    this.market = new SimulatedMarket({ ...rest, instrument, seed, audience: this });
    this.arrivals = new OrderArrivals({ seed: seed ^ 0x5bd1e995, even: pace === "even" });
  }

  /** Nothing of it is sent from now on, or everything again. */
  silence(isSilent: boolean): void {
    this.#isSilent = isSilent;
  }

  has(channel: Channel): boolean {
    return (this.#sockets.get(channel)?.length ?? 0) > 0;
  }

  send(channel: Channel, frame: string): void {
    if (this.#isSilent) return;
    const sockets = this.#sockets.get(channel);
    if (sockets === undefined) return;
    for (const socket of sockets) {
      socket.deliverData(frame, this.market.instrument.symbol, channel);
    }
  }

  isCrossed(): boolean {
    return this.#faults.isCrossed();
  }

  /** False if it listened already. */
  add(channel: Channel, socket: SimulatedSocket): boolean {
    const sockets = this.#sockets.get(channel) ?? [];
    if (sockets.includes(socket)) return false;
    this.#sockets.set(channel, [...sockets, socket]);
    return true;
  }

  remove(channel: Channel, socket: SimulatedSocket): void {
    const sockets = this.#sockets.get(channel) ?? [];
    this.#sockets.set(
      channel,
      sockets.filter((other) => other !== socket),
    );
  }

  /** Spot instruments have no derivative's channels, and none has a venue's status. */
  offers(channel: Channel): boolean {
    if (channel === "status") return false;
    return !DERIVATIVE_CHANNELS.has(channel) || this.market.instrument.kind === "perpetual";
  }
}
