// Some venues are asked by one list, `[{ticket}, {type, codes}, ..., {format}]`, which replaces
// whatever the connection had asked for before.
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedSubscribeOptions, FeedSubscription } from "../../feed/feed-adapter.ts";

/** How one venue is asked by such lists. */
export type TicketWords = {
  /** What the venue calls what has these channels; several channels may have one name. */
  readonly types: Partial<Record<Channel, string>>;
  /** What a book of so many levels is called, where that is not the venue's symbol. */
  readonly bookCode?: (instrument: Instrument, bookDepth: number) => string;
  /** `level` of a book whose prices are not put together to steps of some size. */
  readonly plainBookLevel: number;
};

/** The list that asks for all of this; undefined if the venue has nothing of it. */
export function ticketRequest(
  words: TicketWords,
  wanted: Iterable<FeedSubscription>,
  { requestId, bookDepth }: FeedSubscribeOptions,
): string | undefined {
  const codes = new Map<string, Set<string>>();
  for (const { instrument, channel } of wanted) {
    const type = words.types[channel];
    if (type === undefined) continue;
    const isBook = type === words.types.book;
    const code = isBook ? words.bookCode?.(instrument, bookDepth) : undefined;
    const ofType = codes.get(type) ?? new Set();
    codes.set(type, ofType.add(code ?? instrument.venueSymbol));
  }
  if (codes.size === 0) return undefined;
  const types = Array.from(codes, ([type, ofType]) => ({ type, codes: [...ofType] }));
  return JSON.stringify([{ ticket: `tickwire-${requestId}` }, ...types, { format: "DEFAULT" }]);
}

/** What one connection has asked for, so that asking for more asks for all of it. */
export class TicketSubscriptions {
  readonly #words: TicketWords;
  readonly #wanted = new Map<Instrument, Map<Channel, FeedSubscription>>();
  /** The request that was made last, until it leaves; it has everything up to then. */
  #waiting: string | undefined;
  #isWaitingWhole = false;

  constructor(words: TicketWords) {
    this.#words = words;
  }

  /** The request for these and for all before; nothing while one that says the same waits. */
  add(wanted: readonly FeedSubscription[], options: FeedSubscribeOptions): readonly string[] {
    for (const each of wanted) this.#add(each);
    if (this.#waiting !== undefined && this.#isWaitingWhole) return [];
    const all = [...this.#wanted.values()].flatMap((channels) => [...channels.values()]);
    const request = ticketRequest(this.#words, all, options);
    this.#waiting = request;
    this.#isWaitingWhole = true;
    return request === undefined ? [] : [request];
  }

  /** A frame has left. */
  sent(frame: string): void {
    if (frame === this.#waiting) this.#waiting = undefined;
  }

  /** True for what was asked for; for everything in a recording, in which we asked for nothing. */
  isWanted(instrument: Instrument, channel: Channel): boolean {
    return this.#wanted.size === 0 || this.#wanted.get(instrument)?.has(channel) === true;
  }

  #add(subscription: FeedSubscription): void {
    const { instrument, channel } = subscription;
    const channels = this.#wanted.get(instrument) ?? new Map<Channel, FeedSubscription>();
    if (!channels.has(channel)) this.#isWaitingWhole = false;
    this.#wanted.set(instrument, channels.set(channel, subscription));
  }
}
