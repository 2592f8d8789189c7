import type { OrderBook } from "@tickwire/proto/model";
import { WireError } from "@tickwire/proto/codec";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusMessage, BusSubscription } from "#bus/bus.ts";
import { leadershipSubject } from "#bus/subject.ts";
import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import { fencingTokenOf } from "#core/fencing-token.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Logger } from "#core/logger.ts";
import type { MarketEvent } from "#core/market-event.ts";
import type { MarketTick } from "#core/market-tick.ts";
import { decodeLeadership, encodeLeadership } from "#wire/bus-codec.ts";
import { roleFromWire, roleToWire } from "#wire/leader-role.ts";
import type { LeaderRole } from "#wire/leader-role.ts";
import type { Claims } from "./leadership/claims.ts";
import { Leader } from "./leadership/leader.ts";
import type { LedTerm } from "./leadership/leader.ts";
import type { LeaderState } from "./leadership/leader-table.ts";
import { shardText } from "./leadership/partition.ts";
import type { Partition } from "./leadership/partition.ts";
import { newTermEpoch } from "./publisher-identity.ts";
import type { Publisher } from "./publisher.ts";
import { Handover } from "./standby/handover.ts";
import type { HandoverState } from "./standby/handover.ts";
import { LeaderFeed } from "./standby/leader-feed.ts";
import type { FollowCounters } from "./standby/leader-feed.ts";
import { OwnFeed } from "./standby/own-feed.ts";
import type { OwnInstrument } from "./standby/own-feed.ts";
import type { StreamedInstruments } from "./streamed-instruments.ts";
import type { TopicRecord } from "./topic-record.ts";

type VenuePublicationParts = {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publisherId: string;
  readonly partition: Partition;
  /** Of what is published. It has no term yet, and nobody else gives it one. */
  readonly publisher: Publisher;
  readonly streamed: StreamedInstruments;
  /** The venue's market as a whole. */
  readonly market: Instrument;
  readonly liveBookOf: (instrument: Instrument) => OrderBook | undefined;
  /** Every ingestor has the same venue before it, so that what one publishes another can go on. */
  readonly isOneVenue: boolean;
  /**
   * Whether what our own feed says of a topic is as good as what the other one has published. It
   * always is if this is absent, as it is where the venue itself says it.
   */
  readonly isAsGood?: (topic: TopicRecord, own: OwnInstrument | undefined) => boolean;
  readonly heartbeatMs: number;
  /** A random UUID. */
  readonly newUuid: () => string;
  readonly listener: {
    /** A term has begun: it is to be announced before anything is published in it. */
    onTerm(): void;
    /** It is over, and is to be announced so. The publisher has its epoch until this returns. */
    onTermOver(): void;
  };
};

/** Kinds whose events say nothing of what holds now. */
const NO_STATE: ReadonlySet<MarketEvent["kind"]> = new Set(["trade", "liquidation", "listing"]);

/** The first token, of whoever is alone by construction. */
const ALONE_TOKEN = 1;

/**
 * What becomes of the events of one venue, or of one shard of it: they are published while this
 * ingestor leads, and while another one does they are kept for the case that it ends. On a bus that
 * nobody shares it always leads.
 */
export class VenuePublication {
  readonly partition: Partition;
  readonly publisher: Publisher;
  readonly followed: FollowCounters = {
    events: 0,
    foreignBatches: 0,
    badBatches: 0,
    holesFilled: 0,
    holesLeft: 0,
  };
  readonly #parts: VenuePublicationParts;
  readonly #own: OwnFeed;
  readonly #feed: LeaderFeed;
  #leader: Leader | undefined;
  #subscription: BusSubscription | undefined;
  #stopListening: () => void = () => {};
  #handover: Handover | undefined;
  /** Of a handover that was not done when the term was suspended. */
  #rest: HandoverState | undefined;
  /** Events are published as they come, and nothing else is to be done about them. */
  #isPlain = false;
  #lastWordMs = 0;
  #isClosed = false;

  constructor(parts: VenuePublicationParts) {
    this.#parts = parts;
    this.partition = parts.partition;
    this.publisher = parts.publisher;
    this.#own = new OwnFeed(() => this.#nowMs());
    this.#feed = new LeaderFeed({
      ...parts,
      venue: parts.partition.venue,
      counters: this.followed,
      listener: {
        onOccurrence: (event) => this.#own.published(event),
        onHole: (instrument) => this.#own.restartTopic(instrument),
        onSynced: () => this.#onSynced(),
      },
    });
  }

  /** Who leads, seen from here; undefined on a bus that nobody shares, and before `start`. */
  get leader(): Leader | undefined {
    return this.#leader;
  }

  /** As what this ingestor takes part. */
  get state(): LeaderState {
    if (this.#isClosed) return "closed";
    if (this.publisher.epoch > 0 && this.#leader === undefined) return "leading";
    return this.#leader?.state ?? "probing";
  }

  /** Of the term that is published; 0 while there is none. */
  get fencingToken(): number {
    return fencingTokenOf(this.publisher.epoch);
  }

  /** Events that are kept because they are not published here. */
  get keptEvents(): number {
    return this.#own.bufferedEvents + this.#own.pendingEvents;
  }

  /** Nobody shares the bus: it is published from now on. */
  startAlone(): void {
    assert(this.#leader === undefined, "who is alone has nobody to agree with");
    this.#beginTerm(ALONE_TOKEN);
  }

  /** Takes part with all who publish the partition on this bus. */
  start(claims: Claims): void {
    if (this.#isClosed) return;
    const { bus, clock, logger, publisherId, partition, heartbeatMs } = this.#parts;
    const leader = new Leader({
      clock,
      logger,
      claims,
      publisherId,
      labels: { venue: partition.venue, shard: shardText(partition) },
      intervalMs: heartbeatMs,
      say: (said) => this.#say(said),
      actions: {
        follow: (term) => this.#follow(term),
        lead: (token) => this.#beginTerm(token),
        suspend: () => this.#suspend(),
        resume: () => this.#handOver(this.#rest ?? { isResume: true, isKnown: () => true }),
        yield: () => this.#yield(),
      },
    });
    this.#leader = leader;
    this.#stopListening = bus.onEvent(({ kind }) => {
      if (kind === "disconnected" || kind === "closed") leader.busDown();
      if (kind === "connected" || kind === "reconnected") leader.busUp();
    });
    this.#subscription = bus.subscribe(leadershipSubject(partition.venue), (message) =>
      this.#onLeadership(leader, message),
    );
    leader.start();
  }

  /** Whether a batch may be given to the bus now. */
  maySend(): boolean {
    return this.#leader === undefined || this.#leader.maySend();
  }

  /** The next event of our own feed. */
  emit(event: MarketEvent): void {
    if (this.#isPlain) this.publisher.publish(event);
    else this.#emitKept(event);
  }

  /** The same for a tick, which is the caller's again afterwards. */
  emitTick(tick: MarketTick): void {
    if (this.#isPlain) this.publisher.publishTick(tick);
    else this.#emitKept(tick.event());
  }

  /** Nothing more comes of an instrument. */
  retire(instrument: Instrument): void {
    this.#own.forget(instrument);
    this.publisher.retire(instrument);
  }

  /** Publishes what waits, and takes part no more. Others may lead at once. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.publisher.flush();
    this.#isClosed = true;
    this.#stopListening();
    this.#subscription?.unsubscribe();
    this.#handover?.close();
    this.#feed.stop();
  }

  /** After everything, the end of the term included, was said on the bus. Idempotent. */
  leave(): void {
    this.#leader?.close();
  }

  #emitKept(event: MarketEvent): void {
    const handover = this.#handover;
    if (handover === undefined) {
      this.#own.take(event);
      return;
    }
    handover.take(event);
    if (!handover.isDone || this.#handover !== handover) return;
    handover.close();
    this.#handover = undefined;
    this.#isPlain = true;
  }

  #follow(term: LedTerm): void {
    this.#isPlain = false;
    this.#handover?.close();
    this.#handover = undefined;
    this.publisher.endTerm();
    this.#own.led();
    this.#feed.follow(term);
    this.#heardLeader();
  }

  #onSynced(): void {
    const { logger, partition } = this.#parts;
    this.#own.restart();
    const fields = { venue: partition.venue, shard: shardText(partition) };
    logger.info(fields, "everything that the other ingestor publishes is known here");
  }

  #beginTerm(token: number): number {
    const { publisher, newUuid, listener } = this.#parts;
    const epoch = newTermEpoch(token, newUuid());
    const { term } = this.#feed;
    // Of what a leader has published that is not all known here, what we have may be a part.
    const unknown = new Set<object>();
    let isKnownWhole = true;
    if (term === undefined || !this.#parts.isOneVenue) {
      publisher.endTerm();
      publisher.beginTerm(epoch);
    } else {
      const unproven = this.#unprovenTopics();
      isKnownWhole = this.#feed.isSynced;
      for (const topic of publisher.allTopics()) {
        if (!this.#feed.isExact(topic)) unknown.add(topic);
      }
      publisher.beginTerm(epoch, {
        epoch: term.epoch,
        isExact: (topic) => this.#feed.isExact(topic) && !unproven.has(topic),
        isWhole: this.#feed.isSynced,
      });
      this.#logContinued(term.epoch);
    }
    this.#feed.stop();
    listener.onTerm();
    this.#handOver({
      isResume: false,
      isKnown: (instrument, kind) => {
        const topic = publisher.topic(instrument, kind);
        return topic === undefined ? isKnownWhole : !unknown.has(topic);
      },
    });
    return epoch;
  }

  #logContinued(epoch: number): void {
    const { logger, partition } = this.#parts;
    let continued = 0;
    let unproven = 0;
    for (const topic of this.publisher.allTopics()) {
      if (topic.continued === undefined) unproven += 1;
      else continued += 1;
    }
    const isSynced = this.#feed.isSynced;
    const fields = { venue: partition.venue, shard: shardText(partition), epoch, isSynced };
    logger.info({ ...fields, continued, unproven }, "topics go on from the ingestor before");
  }

  /** Topics of which it is not known what lies between the leader's last event and our next. */
  #unprovenTopics(): ReadonlySet<object> {
    const { publisher, market, isAsGood = () => true } = this.#parts;
    const unproven = new Set<object>();
    for (const { instrument, matchers } of this.#own.instruments.values()) {
      for (const kind of ["trade", "liquidation"] as const) {
        const matcher = matchers[kind];
        const last = publisher.topic(instrument, kind)?.last;
        if (matcher === undefined || matcher.isProven(this.#lastWordMs, last)) continue;
        unproven.add(publisher.ensureTopic(instrument, kind, 0));
      }
    }
    for (const topic of publisher.allTopics()) {
      const { instrument, channel } = topic;
      const own = this.#own.instruments.get(instrument);
      const hasFeed =
        (channel !== "trades" || own?.matchers.trade !== undefined) &&
        (channel !== "liquidations" || own?.matchers.liquidation !== undefined);
      // Of the list, our own is a whole that says nothing of how it came about.
      if (!hasFeed || instrument === market || !isAsGood(topic, own)) unproven.add(topic);
    }
    return unproven;
  }

  #handOver(given: Pick<HandoverState, "isResume" | "isKnown"> & Partial<HandoverState>): void {
    const { clock, publisher, liveBookOf } = this.#parts;
    this.#handover?.close();
    this.#rest = undefined;
    this.#own.leads();
    const state = { repeats: new Map(), late: new Map(), ...given };
    const handover = new Handover({ clock, publisher, own: this.#own, liveBookOf, state });
    this.#handover = handover;
    handover.start();
    // It may have been suspended meanwhile.
    if (!handover.isDone || this.#handover !== handover) return;
    this.#handover = undefined;
    this.#isPlain = true;
  }

  #suspend(): void {
    this.#isPlain = false;
    this.#rest = this.#handover?.rest;
    this.#handover?.close();
    this.#handover = undefined;
    if (this.#rest === undefined) this.#own.unled(this.#knownState());
    this.#own.putBack(this.publisher.withdraw());
  }

  #yield(): void {
    this.#isPlain = false;
    this.#handover?.close();
    this.#handover = undefined;
    this.#parts.listener.onTermOver();
    const known = this.#knownState();
    this.publisher.withdraw();
    this.publisher.endTerm();
    this.#own.unled(known);
  }

  /** What our feed has said of everything that has a state. */
  #knownState(): readonly MarketEvent[] {
    const known: MarketEvent[] = [];
    for (const topic of this.publisher.allTopics()) {
      const { channel, last } = topic;
      if (channel === "status") known.push(...topic.statuses());
      else if (channel === "candles") known.push(...topic.latestCandles());
      else if (last !== undefined && !NO_STATE.has(last.kind)) known.push(last);
    }
    return known;
  }

  #onLeadership(leader: Leader, { payload }: BusMessage): void {
    const said = readLeadership(payload);
    const { partition } = this;
    if (said === undefined || said.venue !== partition.venue) return;
    if (said.shardIndex !== partition.shardIndex) return;
    if (said.shardCount !== partition.shardCount) return;
    const role = roleFromWire(said.role);
    if (role === undefined || said.intervalMs === 0) return;
    const { publisherId, fencingToken: token, epoch, intervalMs, roleForMs, leased } = said;
    if (said.leaving) leader.left(publisherId);
    else leader.heard({ publisherId, role, token, epoch, intervalMs, roleForMs, leased });
    if (publisherId !== this.#feed.term?.publisherId || role !== "leading") return;
    this.#heardLeader();
  }

  #heardLeader(): void {
    this.#lastWordMs = this.#nowMs();
    this.#feed.look();
  }

  #say({ role, leaving }: { readonly role: LeaderRole; readonly leaving: boolean }): void {
    const { bus, publisherId, partition, heartbeatMs, logger } = this.#parts;
    const leader = this.#leader;
    const leads = role === "leading" || role === "suspended";
    const said = {
      publisherId,
      ...partition,
      role: roleToWire(role),
      fencingToken: leads ? (leader?.token ?? 0) : 0,
      epoch: leads ? this.publisher.epoch : 0,
      intervalMs: heartbeatMs,
      roleForMs: Math.round(leader?.stateForMs ?? 0),
      leased: leader?.leased ?? false,
      leaving,
    };
    try {
      bus.publish(leadershipSubject(partition.venue), encodeLeadership(said));
    } catch (error) {
      // The next one follows soon, and a bus that is down says so by its own events.
      if (!(error instanceof BusError)) throw error;
      logger.debug({ code: error.code }, "the bus did not take a sign of life");
    }
  }

  #nowMs(): number {
    return this.#parts.clock.monotonicUs() / 1_000;
  }
}

function readLeadership(payload: Uint8Array) {
  try {
    return decodeLeadership(payload);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
