import { isDeepStrictEqual } from "node:util";
import {
  canonicalEvents,
  contentOf,
  createFixtureConnection,
  dataLike,
  decodeFixture,
  frameText,
  loadFixtures,
  RECEIVED_TIME_US,
  type VenueFixture,
} from "./venue-fixture.ts";
import type { FeedAdapter, FeedEvent } from "#ingest/feed/feed-adapter.ts";
import { INGEST_LIMITS_DEFAULTS } from "#ingest/limits.ts";
import { createVenueCounters } from "#ingest/venue/venue-counters.ts";
import { VenuePipeline } from "#ingest/venue/venue-pipeline.ts";
import { mutantOf, textMutantOf } from "#test/support/json-mutants.ts";
import { createPrng, type Prng } from "#test/support/prng.ts";
import { decodeRecorded, type RecordedConnection } from "#test/support/recorded-answer.ts";
import { isSound } from "#test/support/sound-event.ts";

// Damaged messages of a venue, made of its fixtures, run through its decoder and the pipeline
// behind it as the ingestor would.

/** Mutants that one connection gets before there is a new one, among them whole messages. */
const MUTANTS_PER_CONNECTION = 48;

/** Longer texts are left to the tests that replay them: most of a mutant would be the same. */
const TEXT_LENGTH_MAX = 20_000;

/** A mutant that did what none may do. */
type FuzzFailure = { readonly what: string; readonly text: string };

/** Something that a venue sends, whole, and the fixture that has it. */
type Seed = {
  readonly fixture: VenueFixture;
  readonly frame: unknown;
  readonly message: unknown;
};

type AnswerSeed = { readonly fixture: VenueFixture; readonly url: string; readonly body: unknown };

/** Feeds a decoder's events to the pipeline, and judges each. */
class Judge {
  readonly #adapter: FeedAdapter;
  readonly #pipeline: VenuePipeline;
  unsound: FeedEvent | undefined;

  constructor(adapter: FeedAdapter) {
    this.#adapter = adapter;
    this.#pipeline = new VenuePipeline({
      adapter,
      bookDepth: 1000,
      limits: { ...INGEST_LIMITS_DEFAULTS, bufferedDeltasMax: 100, recentTradeIdsMax: 100 },
      counters: createVenueCounters(),
      emit: () => {},
      demand: () => {},
    });
  }

  readonly take = (event: FeedEvent): void => {
    if (!isSound(event, this.#adapter, RECEIVED_TIME_US)) this.unsound ??= event;
    else if (event.kind === "rejected") this.#pipeline.onRejected(event, RECEIVED_TIME_US);
    else if ("receivedTimeUs" in event) this.#pipeline.onData(event, RECEIVED_TIME_US);
  };
}

/** Runs damaged frames, and says what went wrong. */
export function fuzzFrames(adapter: FeedAdapter, options: FuzzOptions): FuzzFailure[] {
  const seeds = frameSeedsOf(adapter);
  const messages = seeds.map(({ message }) => message);
  const failures: FuzzFailure[] = [];
  const prng = createPrng(options.seed);
  for (let done = 0; done < options.mutants;) {
    const { fixture } = prng.pick(seeds);
    const ofFixture = seeds.filter((seed) => seed.fixture === fixture);
    const connection = createFixtureConnection(adapter, fixture);
    const judge = new Judge(adapter);
    for (let each = 0; each < MUTANTS_PER_CONNECTION && done < options.mutants; each += 1) {
      const seed = prng.pick(ofFixture);
      const isWhole = each % 8 === 7;
      const text = isWhole ? textOf(seed.message) : damagedText(seed.message, messages, prng);
      if (!isWhole) done += 1;
      const data = dataLike(seed.frame, text);
      if (!isWhole && typeof data !== "string" && prng.chance(0.3)) damageByte(data, prng);
      const run = (): void => connection.decoder.decode(data, RECEIVED_TIME_US, judge.take);
      judgeRun(run, judge, text, failures);
    }
  }
  return failures;
}

/** Runs damaged REST answers: market data, lists of instruments, addresses and clocks. */
export function fuzzAnswers(adapter: FeedAdapter, options: FuzzOptions): FuzzFailure[] {
  const seeds = answerSeedsOf(adapter);
  const bodies = seeds.map(({ body }) => body);
  const failures: FuzzFailure[] = [];
  const prng = createPrng(options.seed);
  const judge = new Judge(adapter);
  const connections = new Map<VenueFixture, RecordedConnection>();
  for (let done = 0; done < options.mutants; done += 1) {
    const { fixture, url, body } = prng.pick(seeds);
    const text = damagedText(body, bodies, prng);
    let connection = connections.get(fixture);
    if (connection === undefined) {
      connection = createFixtureConnection(adapter, fixture);
      connections.set(fixture, connection);
    }
    const { catalog } = connection;
    judgeRun(
      () => {
        const list = adapter.parseInstruments(text, url);
        for (const each of list?.instruments ?? []) {
          if (each.venue !== adapter.venue) throw new Error("an instrument of another venue");
        }
        catalog.add(list?.instruments ?? []);
        adapter.nextInstrumentsRequest?.({ url, weight: 1 }, text);
        adapter.parseServerTimeUs?.(text);
        adapter.parseConnection?.(text, {
          plan: { url, subscriptions: [] },
          connectionId: "fuzz",
        });
        adapter.recordedRequest(prng.chance(0.5) ? url : textMutantOf(url, prng));
        decodeRecorded(connection, { url, body: text }, RECEIVED_TIME_US, judge.take);
      },
      judge,
      text,
      failures,
    );
  }
  return failures;
}

type FuzzOptions = { readonly seed: number; readonly mutants: number };

/** Fixtures that no longer give what they say: what was damaged may leave nothing behind. */
export function brokenFixtures(adapter: FeedAdapter): string[] {
  return loadFixtures(adapter.venue)
    .filter(({ fixture }) => {
      const events = canonicalEvents(adapter, decodeFixture(adapter, fixture), fixture.bookDepth);
      return !isDeepStrictEqual(events, fixture.expect);
    })
    .map(({ name }) => name);
}

function judgeRun(run: () => void, judge: Judge, text: string, failures: FuzzFailure[]): void {
  const told = text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text;
  try {
    run();
  } catch (error) {
    failures.push({
      what: error instanceof Error ? (error.stack ?? "") : String(error),
      text: told,
    });
    return;
  }
  const { unsound } = judge;
  judge.unsound = undefined;
  if (unsound !== undefined) failures.push({ what: `unsound ${unsound.kind}`, text: told });
}

/** What the bytes of a frame are may be wrong, not only what they say. */
function damageByte(data: Uint8Array, prng: Prng): void {
  if (data.length > 0) data[prng.below(data.length)] = prng.below(256);
}

function damagedText(message: unknown, others: readonly unknown[], prng: Prng): string {
  if (prng.chance(0.1)) return textMutantOf(textOf(message), prng);
  const text = JSON.stringify(mutantOf(parsed(message), others, prng)) ?? "";
  // A number that JSON.stringify cannot write.
  return prng.chance(0.05) ? text.replace(/-?\d+(\.\d+)?/, "1e400") : text;
}

/** A message as data, also where a fixture writes its text. */
function parsed(message: unknown): unknown {
  if (typeof message !== "string") return message;
  try {
    return JSON.parse(message);
  } catch {
    return message;
  }
}

/** The text that the venue would send. */
function textOf(message: unknown): string {
  return typeof message === "string" ? message : JSON.stringify(message);
}

function frameSeedsOf(adapter: FeedAdapter): readonly Seed[] {
  const seeds = loadFixtures(adapter.venue).flatMap(({ fixture }) =>
    fixture.frames.map((frame): Seed => ({ fixture, frame, message: contentOf(frame) })),
  );
  return seeds.filter(({ message }) => textOf(message).length <= TEXT_LENGTH_MAX);
}

function answerSeedsOf(adapter: FeedAdapter): readonly AnswerSeed[] {
  const [first] = adapter.instrumentsRequests(adapter.endpoints);
  return loadFixtures(adapter.venue).flatMap(({ fixture }): readonly AnswerSeed[] => {
    const { rest = [], instrumentLists = [], instruments, instrumentsUrl } = fixture;
    const lists =
      instruments === undefined
        ? []
        : [{ url: instrumentsUrl ?? first?.url ?? "", body: instruments }];
    return [...rest, ...lists, ...instrumentLists]
      .filter(({ body }) => frameText(body).length <= TEXT_LENGTH_MAX)
      .map(({ url, body }) => ({ fixture, url, body: parsed(body) }));
  });
}
