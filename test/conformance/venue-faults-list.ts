import type { FeedLimits } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import { type RefusalKind, refusalFrames } from "#test/support/dialects/refusals.ts";
import type { ScriptedVenueId } from "#test/support/dialects/registry.ts";
import type { ExchangeStand } from "#test/support/scripted-exchange-stand.ts";
import type { ToldStatus } from "#test/support/scripted-venue-consumer.ts";

/** What clients were told of a market, with the seconds since the start. */
export type Told = Readonly<
  Record<"book" | "trades", readonly (ToldStatus & { readonly second: number })[]>
>;

/** What came of a fault. */
export type FaultOutcome = {
  /** The market that it happened to. */
  readonly target: Told;
  /** A market that it did not happen to, on the same connection where there is one. */
  readonly other: Told;
  /** Whether changes of the target reach us in the end. */
  readonly isServed: Readonly<Record<"book" | "trades", boolean>>;
};

/** What goes wrong with the subscriptions of one market. */
export type VenueFault = {
  readonly name: string;
  /** For the document. */
  readonly description: string;
  readonly seconds: number;
  /** Between two changes of the market. */
  readonly stepSeconds: number;
  /** What both channels of the target are told to be in the end. */
  readonly ends: "live" | "down";
  isPossible(venue: ScriptedVenueId): boolean;
  prepare(parts: { readonly stand: ExchangeStand; readonly target: string }): void;
  isBookQuiet?(second: number): boolean;
};

/** For so long from the start on, requests go wrong. */
const TROUBLE_SECONDS = 10;

const ANYWHERE = (): boolean => true;

/** A request that could be refused, as the venue's own protocol writes one. */
const REQUEST =
  '{"id":1,"op":"subscribe","param":{"symbol":"A"},"params":{"symbol":["A"]},"args":["a"],"pair":["A"],"product_ids":["A"],"data":{"channel":"a"},"subscription":{}}';

/** How a venue refuses such a request. */
export function refusalsOf(venue: ScriptedVenueId): readonly unknown[] {
  return refusalFrames(venue, REQUEST, "final");
}

function alwaysSpokenOf(venue: ScriptedVenueId): FeedLimits["alwaysSpoken"] {
  const { limits }: { readonly limits: FeedLimits } = VENUES[venue];
  return limits.alwaysSpoken;
}

const canRefuse = (venue: ScriptedVenueId): boolean => refusalsOf(venue).length > 0;

function isAbout(frame: string, symbol: string): boolean {
  return frame.toLowerCase().includes(symbol.toLowerCase());
}

/** Every request about the target is refused, for a while or for ever. */
function refusing(kind: RefusalKind): VenueFault["prepare"] {
  return ({ stand, target }) => {
    stand.exchange.refusesName = (name) => isAbout(name, target);
    stand.exchange.fateOf = (frame) => {
      const isOver = kind === "passing" && stand.seconds > TROUBLE_SECONDS;
      return !isOver && isAbout(frame, target) ? `refused-${kind}` : "answered";
    };
  };
}

/** What is sent about the target is lost for a while. */
function losing(lost: "request-lost" | "answer-lost"): VenueFault["prepare"] {
  return ({ stand, target }) => {
    stand.exchange.fateOf = (frame) =>
      stand.seconds <= TROUBLE_SECONDS && isAbout(frame, target) ? lost : "answered";
  };
}

/** Confirmed, and not served on connections that are opened before a time. */
function muting(openedBeforeSeconds: number): VenueFault["prepare"] {
  return ({ stand, target }) => {
    const untilUs = stand.clock.nowUs() + openedBeforeSeconds * 1e6;
    for (const channel of ["book", "trades"] as const) {
      stand.exchange.mute(target, channel, untilUs);
    }
  };
}

/** In the order of the document. */
export const VENUE_FAULTS: readonly VenueFault[] = [
  {
    name: "refused for a moment",
    description: `Every request about the market is refused with an error that passes, for ${TROUBLE_SECONDS} s.`,
    seconds: 90,
    stepSeconds: 3,
    ends: "live",
    isPossible: canRefuse,
    prepare: refusing("passing"),
  },
  {
    name: "refused for good",
    description: "Every request about the market is refused with an error that does not pass.",
    seconds: 90,
    stepSeconds: 3,
    ends: "down",
    isPossible: canRefuse,
    prepare: refusing("final"),
  },
  {
    name: "request lost",
    description: `No request about the market reaches the venue for ${TROUBLE_SECONDS} s.`,
    seconds: 90,
    stepSeconds: 3,
    ends: "live",
    isPossible: ANYWHERE,
    prepare: losing("request-lost"),
  },
  {
    name: "answer lost",
    description: `The venue serves the market, and its answers are lost for ${TROUBLE_SECONDS} s.`,
    seconds: 90,
    stepSeconds: 3,
    ends: "live",
    isPossible: ANYWHERE,
    prepare: losing("answer-lost"),
  },
  {
    name: "confirmed and not served",
    description:
      "The venue confirms the subscriptions and sends nothing of them on connections of the first minute.",
    seconds: 400,
    stepSeconds: 10,
    ends: "live",
    isPossible: ANYWHERE,
    prepare: muting(60),
  },
  {
    name: "a quiet book beside busy trades",
    description: "After half a minute the book rests, for five minutes, while trades go on.",
    seconds: 330,
    stepSeconds: 10,
    ends: "live",
    // Elsewhere the venue sends the book whatever happens.
    isPossible: (venue) => alwaysSpokenOf(venue)?.includes("book") !== true,
    prepare: () => {},
    isBookQuiet: (second) => second > 30,
  },
];
