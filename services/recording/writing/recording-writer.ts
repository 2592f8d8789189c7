import type { BusBatch } from "@tickwire/proto/codec";
import { assert } from "#core/assert.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import { BlockContent } from "../format/block-content.ts";
import type { RecordedNotice, RecordedTopic, RecordingRun } from "../format/entry.ts";
import type { RecordingError } from "../recording-error.ts";
import { BlockStore, type RecordingLimits } from "./block-store.ts";
import type { RecordingFolder } from "./recording-folder.ts";
import { TopicRecorder, type IncomingEvent } from "./topic-recorder.ts";

type RecordingWriterOptions = {
  readonly run: RecordingRun;
  readonly folder: RecordingFolder;
  readonly clock: Clock;
  /** Calls back at the end of the event loop's turn. */
  readonly schedule: (callback: () => void) => void;
  readonly limits: RecordingLimits & {
    /** What came is in the file after so long: more than this a kill does not cost. */
    readonly flushIntervalMs: number;
    /** Beyond so much that waits for the disk, events are left out, and the recording says so. */
    readonly waitingBytesMax: number;
  };
  /** The disk does not take the recording, or takes it again. */
  readonly onFailure?: (failure: RecordingError | undefined) => void;
  /** All that had come when the flush began is kept by the disk; `events` says how many that is. */
  readonly onFlushed?: (progress: RecordingProgress) => void;
};

/** A block of this size is written without waiting for the next flush. */
const BLOCK_RAW_BYTES = 256 * 1024;

/** So much of one turn goes into states that a new file gets. */
const HOLD_US_PER_TURN = 2_000;

/** What a recording has come to. */
export type RecordingProgress = {
  readonly topics: number;
  /** Events that came, without states at a start. */
  readonly events: number;
  /** Those of them that are in the files. */
  readonly storedEvents: number;
  /** Those that were left out because the disk was too slow, or full. */
  readonly lostEvents: number;
  readonly gaps: number;
  readonly storedBytes: number;
  /** What waits for the disk, before compression. */
  readonly waitingBytes: number;
  readonly files: number;
  readonly removedFiles: number;
  readonly file: string | undefined;
  readonly failure: RecordingError | undefined;
};

/**
 * Writes events of topics into a recording. What is given to it never waits: a disk that is too
 * slow costs events, which the recording then names as missing.
 */
export class RecordingWriter {
  readonly #options: RecordingWriterOptions;
  readonly #store: BlockStore;
  readonly #topics = new Map<RecordedTopic, TopicRecorder>();
  #content: BlockContent;
  #startsFile = false;
  /** Rises with each file; topics say in which of them their state stands. */
  #fileNumber = 0;
  /** Topics whose state the file still lacks, unless an event of theirs comes first. */
  #unheld: TopicRecorder[] = [];
  #withRun: TopicRecorder[] = [];
  #isScheduled = false;
  #lastTimeUs = 0;
  #events = 0;
  #lostEvents = 0;
  #gaps = 0;
  #cancelFlush: CancelTimer | undefined;
  #closed = false;

  private constructor(options: RecordingWriterOptions) {
    this.#options = options;
    const { folder, clock, limits, onFailure } = options;
    this.#store = new BlockStore({
      folder,
      clock,
      limits,
      onFileForced: () => this.#onFileBegun(),
      onFailure: (failure) => onFailure?.(failure),
    });
    this.#content = new BlockContent(options.run);
  }

  /** Opens a recording, behind what its folder has already. Rejects with RecordingError. */
  static async open(options: RecordingWriterOptions): Promise<RecordingWriter> {
    const writer = new RecordingWriter(options);
    await writer.#store.open();
    writer.#beginContent();
    writer.#scheduleFlush();
    return writer;
  }

  get progress(): RecordingProgress {
    return {
      topics: this.#topics.size,
      events: this.#events,
      lostEvents: this.#lostEvents,
      gaps: this.#gaps,
      waitingBytes: this.#store.waitingBytes + this.#content.bytes,
      ...this.#store.progress,
    };
  }

  /** Takes the next event of a topic. */
  event(topic: RecordedTopic, event: IncomingEvent): void {
    assert(!this.#closed, "nothing is recorded after the close");
    const recorder = this.#recorderOf(topic);
    if (recorder.breaksRun(event)) this.#endRun(recorder);
    if (!recorder.hasRun) this.#withRun.push(recorder);
    recorder.take(event);
    if (!event.initial) this.#events += 1;
    this.#endTurnSoon();
  }

  /** Takes what is said of a topic, in its place among the topic's events. */
  notice(topic: RecordedTopic, notice: RecordedNotice): void {
    assert(!this.#closed, "nothing is recorded after the close");
    const recorder = this.#recorderOf(topic);
    this.#endRun(recorder);
    this.#addNotice(recorder, notice);
    this.#endTurnSoon();
  }

  /** Resolves when all that came is kept by the disk, or the disk is given up at the close. */
  async flush(): Promise<void> {
    this.#endRuns();
    this.#sealContent();
    const { events } = this.progress;
    await this.#store.sync();
    this.#options.onFlushed?.({ ...this.progress, events });
  }

  /** Writes what waits and ends the file. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#cancelFlush?.();
    this.#endRuns();
    this.#sealContent();
    this.#closed = true;
    await this.#store.close();
  }

  #scheduleFlush(): void {
    const { clock, limits } = this.#options;
    this.#cancelFlush = clock.after(limits.flushIntervalMs, () => {
      // The store catches every failure of the disk, so that this never rejects.
      void this.flush().then(() => {
        if (!this.#closed) this.#scheduleFlush();
      });
    });
  }

  #recorderOf(topic: RecordedTopic): TopicRecorder {
    let recorder = this.#topics.get(topic);
    if (recorder === undefined) {
      recorder = new TopicRecorder(topic);
      this.#topics.set(topic, recorder);
    }
    return recorder;
  }

  #endTurnSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.schedule(() => {
      this.#isScheduled = false;
      if (this.#closed) return;
      this.#endRuns();
      this.#holdSome();
      if (this.#content.bytes >= BLOCK_RAW_BYTES) this.#sealContent();
    });
  }

  #endRuns(): void {
    const recorders = this.#withRun;
    this.#withRun = [];
    for (const recorder of recorders) this.#endRun(recorder);
  }

  #endRun(recorder: TopicRecorder): void {
    if (!recorder.hasRun) return;
    const { topic } = recorder;
    const { waitingBytesMax } = this.#options.limits;
    if (this.#store.waitingBytes + this.#content.bytes >= waitingBytesMax) {
      this.#lostEvents += recorder.loseRun();
      return;
    }
    const lost = recorder.takeLost();
    for (const notice of lost) this.#addNotice(recorder, notice);
    this.#hold(recorder);
    const timeUs = this.#nowUs();
    for (const { bytes, count, snapshot } of recorder.endRun()) {
      // A state at a start is no event of the topic, as the repeated ones are none.
      this.#content.addEvents(topic, { timeUs, bytes, count: snapshot ? 0 : count, held: false });
    }
    if (this.#content.bytes >= BLOCK_RAW_BYTES) this.#sealContent();
  }

  #addNotice({ topic }: TopicRecorder, notice: RecordedNotice): void {
    if (notice.kind === "gap") this.#gaps += 1;
    this.#content.addNotice(topic, this.#nowUs(), notice);
  }

  /** Puts the topic's state into a file that has not got it. */
  #hold(recorder: TopicRecorder): void {
    if (recorder.heldInFile === this.#fileNumber) return;
    recorder.heldInFile = this.#fileNumber;
    const timeUs = this.#nowUs();
    for (const batch of recorder.heldState(timeUs)) {
      this.#addHeld(recorder.topic, timeUs, batch);
    }
  }

  #addHeld(topic: RecordedTopic, timeUs: number, { bytes, count }: BusBatch): void {
    this.#content.addEvents(topic, { timeUs, bytes, count, held: true });
  }

  /** Topics of which nothing comes get their state into a new file too, some in each turn. */
  #holdSome(): void {
    const { clock } = this.#options;
    const endUs = clock.monotonicUs() + HOLD_US_PER_TURN;
    let recorder = this.#unheld.pop();
    while (recorder !== undefined) {
      this.#hold(recorder);
      if (clock.monotonicUs() >= endUs) break;
      recorder = this.#unheld.pop();
    }
    if (this.#unheld.length > 0) this.#endTurnSoon();
  }

  #sealContent(): void {
    if (this.#content.isEmpty) return;
    const content = this.#content;
    this.#store.put(content, this.#startsFile);
    this.#beginContent();
  }

  #beginContent(): void {
    this.#content = new BlockContent(this.#options.run);
    this.#startsFile = this.#store.isFileDue();
    if (this.#startsFile) this.#onFileBegun();
  }

  #onFileBegun(): void {
    this.#fileNumber += 1;
    this.#unheld = [...this.#topics.values()];
    if (this.#unheld.length > 0 && !this.#closed) this.#endTurnSoon();
  }

  /** The recorder's time, which never falls however the clock is set. */
  #nowUs(): number {
    this.#lastTimeUs = Math.max(this.#lastTimeUs, this.#options.clock.nowUs());
    return this.#lastTimeUs;
  }
}
