import type { CancelTimer } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedDecoder, RejectReason, RestPurpose } from "../feed-adapter.ts";
import type { VenueContext } from "../venue-context.ts";
import type { RestAnswer } from "./rest-client.ts";
import type { VenueRest } from "./venue-rest.ts";

/** What the venue's REST says of a quiet channel. */
type ProbeVerdict =
  /** Nothing happened that it should have told. */
  | "alive"
  /** Something did, and was not told. */
  | "dead"
  /** The venue did not say. */
  | "unknown";

/** A quiet subscription. */
type Suspect = {
  readonly instrument: Instrument;
  readonly channel: Channel;
  /** Called once, later. */
  readonly onVerdict: (verdict: ProbeVerdict) => void;
};

/** Counts that the prober keeps up to date; shared with the metrics. */
export type ProbeCounters = { probes: number; probesDead: number; probesFailed: number };

/** What is asked: the best levels of the book, or the latest trades. */
type ProbeKind = "book" | "trades";

type FeedProberOptions = VenueContext & {
  readonly rest: VenueRest;
  /** For answers alone. */
  readonly decoder: FeedDecoder;
  readonly counters: ProbeCounters;
  readonly onRejected: (reason: RejectReason) => void;
  /** The best levels of the book that we publish, as `levelsTextOf` writes them. */
  readonly ownLevels: (instrument: Instrument, levelsMax: number) => string | undefined;
};

type Probe = {
  readonly kind: ProbeKind;
  readonly instrument: Instrument;
  readonly suspects: Suspect[];
  /** What the venue had at the first look. */
  baseline: string | undefined;
};

/** What shows that something happened in a channel: whatever moves it moves that. */
const KIND_OF: Partial<Record<Channel, ProbeKind>> = {
  book: "book",
  quotes: "book",
  trades: "trades",
  ticker: "trades",
  candles: "trades",
};

/**
 * Finds out whether a quiet channel is dead: looks twice at what the venue has by REST. If that
 * moved between the looks while nothing came, or our book is not the venue's, the channel is dead;
 * otherwise nothing happened. It asks seldom, one instrument at a time, after everything else that
 * wants the venue's budget.
 */
export class FeedProber {
  readonly #options: FeedProberOptions;
  readonly #probes = new Map<Instrument, Map<ProbeKind, Probe>>();
  readonly #queue: Probe[] = [];
  readonly #cancelLater = new Set<CancelTimer>();
  #waiting = 0;
  #cancelTurn: CancelTimer | undefined;
  #closed = false;

  constructor(options: FeedProberOptions) {
    this.#options = options;
  }

  /** True if the venue can be asked about such a channel at all. */
  canProbe(channel: Channel): boolean {
    const { adapter } = this.#options;
    const kind = KIND_OF[channel];
    if (kind === "book") return adapter.bookProbe !== undefined;
    return kind === "trades" && adapter.tradesRequest !== undefined;
  }

  /** False if it cannot be found out, or too many wait already; then nothing is called. */
  ask(suspect: Suspect): boolean {
    const { policy } = this.#options;
    const { instrument, channel } = suspect;
    const kind = KIND_OF[channel];
    if (this.#closed || kind === undefined || !this.canProbe(channel)) return false;
    const known = this.#probes.get(instrument)?.get(kind);
    if (known !== undefined) {
      known.suspects.push(suspect);
      return true;
    }
    if (this.#waiting >= policy.probesWaitingMax) return false;
    this.#waiting += 1;
    const probe: Probe = { kind, instrument, suspects: [suspect], baseline: undefined };
    const ofInstrument = this.#probes.get(instrument) ?? new Map<ProbeKind, Probe>();
    this.#probes.set(instrument, ofInstrument.set(kind, probe));
    this.#enqueue(probe);
    return true;
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#cancelTurn?.();
    for (const cancel of this.#cancelLater) cancel();
    this.#cancelLater.clear();
  }

  #enqueue(probe: Probe): void {
    this.#queue.push(probe);
    this.#scheduleTurn();
  }

  #scheduleTurn(): void {
    const { clock, policy } = this.#options;
    if (this.#closed || this.#queue.length === 0) return;
    this.#cancelTurn ??= clock.after(policy.probeIntervalMs, () => {
      this.#cancelTurn = undefined;
      const probe = this.#queue.shift();
      if (probe !== undefined) this.#look(probe);
      this.#scheduleTurn();
    });
  }

  #look(probe: Probe): void {
    const { adapter, rest, counters } = this.#options;
    const { instrument, kind } = probe;
    const { endpoints } = rest;
    const request =
      kind === "book"
        ? adapter.bookProbe?.request(instrument, endpoints)
        : adapter.tradesRequest?.(instrument, { afterTradeId: "", endpoints });
    if (request === undefined) return this.#end(probe, "unknown");
    counters.probes += 1;
    rest.ask(
      request,
      {
        onAnswer: (answer) => this.#onAnswer(probe, answer),
        onFailure: () => this.#fail(probe),
      },
      "background",
    );
  }

  #onAnswer(probe: Probe, answer: RestAnswer): void {
    if (this.#closed) return;
    const { policy } = this.#options;
    const now = this.#markOf(probe, answer);
    if (now === undefined) return this.#fail(probe);
    const own = this.#ownMarkOf(probe);
    if (own === now) return this.#end(probe, "alive");
    const { baseline } = probe;
    if (baseline === undefined) {
      probe.baseline = now;
      this.#later(policy.probeAgainMs, () => this.#enqueue(probe));
    } else if (baseline !== now || own !== undefined) {
      // The news may be on the way: whoever hears it until then is not dead.
      this.#later(policy.probeGraceMs, () => this.#end(probe, "dead"));
    } else {
      this.#end(probe, "alive");
    }
  }

  /** What we have of it, where that can be compared with what the venue has. */
  #ownMarkOf({ kind, instrument }: Probe): string | undefined {
    const { adapter, ownLevels } = this.#options;
    if (kind !== "book" || adapter.bookProbe === undefined) return undefined;
    return ownLevels(instrument, adapter.bookProbe.levelsMax);
  }

  /** What the venue has, in a form in which two looks can be compared. */
  #markOf({ kind, instrument }: Probe, { body }: RestAnswer): string | undefined {
    const { adapter, decoder, clock, onRejected } = this.#options;
    if (kind === "book") return adapter.bookProbe?.levels(body);
    const purpose: RestPurpose = { kind: "trades", channel: "trades", instrument };
    let newest: string | undefined;
    let isRead = true;
    decoder.decodeRest({ purpose, body }, clock.nowUs(), (event) => {
      if (event.kind === "rejected") {
        onRejected(event.reason);
        isRead = false;
      } else if (event.kind === "trade" && event.instrument === instrument) {
        newest = `${event.tradeId} ${event.venueTimeUs} ${event.priceMantissa} ${event.sizeMantissa}`;
      }
    });
    return newest ?? (isRead ? "none" : undefined);
  }

  #fail(probe: Probe): void {
    if (this.#closed) return;
    this.#options.counters.probesFailed += 1;
    this.#end(probe, "unknown");
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#cancelLater.delete(cancel);
      run();
    });
    this.#cancelLater.add(cancel);
  }

  #end(probe: Probe, verdict: ProbeVerdict): void {
    this.#waiting -= 1;
    this.#probes.get(probe.instrument)?.delete(probe.kind);
    if (verdict === "dead") this.#options.counters.probesDead += 1;
    for (const { onVerdict } of probe.suspects) onVerdict(verdict);
  }
}
