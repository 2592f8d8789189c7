import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import type { BlockContent } from "../format/block-content.ts";
import { encodeBlock } from "../format/block.ts";
import { compressorOf, type Compression } from "../format/compression.ts";
import { formatIndex, recordingFileName, recordingFileNumber } from "../format/recording-index.ts";
import type { IndexedFile } from "../format/recording-index.ts";
import { writeError, type RecordingError } from "../recording-error.ts";
import type { RecordingFile, RecordingFolder } from "./recording-folder.ts";

/** How large files become and how many are kept. */
export type RecordingLimits = {
  readonly compression: Compression;
  /** A file that has so much is followed by the next. */
  readonly fileBytesMax: number;
  /** And one that is so old. */
  readonly fileMsMax: number;
  /** Beyond so much, all files together, the oldest go; Infinity keeps all. */
  readonly keptBytesMax: number;
  /** Files that ended so long ago go; Infinity keeps all. */
  readonly keptMsMax: number;
};

type BlockStoreOptions = {
  readonly folder: RecordingFolder;
  readonly clock: Clock;
  readonly limits: RecordingLimits;
  /** After a failure: what follows is in a file in which no state stands yet. */
  readonly onFileForced: () => void;
  /** The folder does not take what it should, and is tried again; undefined when it does again. */
  readonly onFailure: (failure: RecordingError | undefined) => void;
};

/** How long to wait before a folder that failed is tried again. */
const RETRY_MS = 2_000;

type OpenFile = { readonly file: RecordingFile; readonly openedUs: number; facts: IndexedFile };

type Work =
  | { readonly kind: "block"; readonly content: BlockContent; readonly startsFile: boolean }
  | { readonly kind: "sync"; readonly done: () => void };

/**
 * Puts blocks into files, in order: it compresses, begins the next file, writes the index, and
 * removes what is kept no longer. When the folder fails it keeps what waits and tries again, in a
 * new file, until it is closed.
 */
export class BlockStore {
  readonly #options: BlockStoreOptions;
  readonly #queue: Work[] = [];
  readonly #files: IndexedFile[] = [];
  #current: OpenFile | undefined;
  #nextNumber = 1;
  #hasBegun = false;
  /** Blocks that begin a file and are in none yet. */
  #startsWaiting = 0;
  #waitingBytes = 0;
  #storedEvents = 0;
  #storedBytes = 0;
  #removedFiles = 0;
  #failure: RecordingError | undefined;
  #isRunning = false;
  #closing = false;
  #wake: (() => void) | undefined;

  constructor(options: BlockStoreOptions) {
    this.#options = options;
  }

  /** Looks at what is there, behind which the recording goes on. Rejects with RecordingError. */
  async open(): Promise<void> {
    const { folder } = this.#options;
    try {
      const index = await folder.readIndex();
      for (const { name, bytes } of await folder.list()) {
        const known = index.get(name);
        this.#files.push(known?.bytes === bytes ? known : await folder.scan({ name, bytes }));
        this.#nextNumber = (recordingFileNumber(name) ?? 0) + 1;
      }
    } catch (error) {
      throw writeError(error);
    }
  }

  /** Bytes, before compression, that are not in a file yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get progress() {
    return {
      file: this.#current?.facts.name,
      files: this.#files.length,
      storedEvents: this.#storedEvents,
      storedBytes: this.#storedBytes,
      removedFiles: this.#removedFiles,
      failure: this.#failure,
    };
  }

  /** Whether the next block should begin a file. */
  isFileDue(): boolean {
    const current = this.#current;
    if (!this.#hasBegun) return true;
    if (current === undefined || this.#startsWaiting > 0) return false;
    const { fileBytesMax, fileMsMax } = this.#options.limits;
    const ageMs = (this.#options.clock.monotonicUs() - current.openedUs) / 1_000;
    return current.facts.bytes >= fileBytesMax || ageMs >= fileMsMax;
  }

  /** Takes a block, which is in a file soon. */
  put(content: BlockContent, startsFile: boolean): void {
    assert(!this.#closing, "nothing is put into a store that is closed");
    this.#hasBegun = true;
    this.#waitingBytes += content.bytes;
    if (startsFile) this.#startsWaiting += 1;
    this.#queue.push({ kind: "block", content, startsFile });
    this.#start();
  }

  /** Resolves when the disk keeps all that was put, or the store gave up at its close. */
  sync(): Promise<void> {
    return new Promise((done) => {
      this.#queue.push({ kind: "sync", done });
      this.#start();
    });
  }

  /** Writes what waits and ends the file. A folder that fails now is not tried again. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    await this.sync();
    await this.#attempt(() => this.#endFile());
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // What the folder fails in is caught inside: what is left to reject is a bug of ours.
    void this.#run().finally(() => {
      this.#isRunning = false;
      if (this.#queue.length > 0) this.#start();
    });
  }

  async #run(): Promise<void> {
    for (let work = this.#queue[0]; work !== undefined; work = this.#queue[0]) {
      if (work.kind === "sync") {
        await this.#attempt(async () => this.#current?.file.sync());
        work.done();
      } else {
        await this.#storeBlock(work.content, work.startsFile);
        this.#waitingBytes -= work.content.bytes;
        if (work.startsFile) this.#startsWaiting -= 1;
      }
      this.#queue.shift();
    }
  }

  async #storeBlock(content: BlockContent, startsFile: boolean): Promise<void> {
    const { compression } = this.#options.limits;
    const raw = content.take();
    const stored = await compressorOf(compression)(raw);
    const { events, firstTimeUs, lastTimeUs } = content;
    const facts = { compression, rawBytes: raw.length, events, firstTimeUs, lastTimeUs };
    const block = encodeBlock(facts, stored);
    let isDue = startsFile;
    const isStored = await this.#attempt(async () => {
      if (isDue) await this.#endFile();
      isDue = false;
      const current = (this.#current ??= await this.#beginFile(firstTimeUs));
      await current.file.append(block);
      current.facts = {
        ...current.facts,
        bytes: current.facts.bytes + block.length,
        blocks: current.facts.blocks + 1,
        events: current.facts.events + events,
        firstTimeUs: current.facts.blocks === 0 ? firstTimeUs : current.facts.firstTimeUs,
        lastTimeUs,
      };
      this.#files[this.#files.length - 1] = current.facts;
    });
    if (!isStored) return;
    this.#storedEvents += events;
    this.#storedBytes += block.length;
  }

  /** Does it until it is done; false if the store was closed meanwhile. */
  async #attempt(action: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await action();
        if (this.#failure !== undefined) {
          this.#failure = undefined;
          this.#options.onFailure(undefined);
        }
        return true;
      } catch (error) {
        await this.#onFailure(error);
        if (this.#closing) return false;
        await this.#pause();
      }
    }
  }

  /** What was written of the block is cut off where that can be done; a reader passes over it. */
  async #onFailure(error: unknown): Promise<void> {
    const current = this.#current;
    if (current !== undefined) {
      this.#current = undefined;
      await this.#abandon(current);
      this.#options.onFileForced();
    }
    const isNews = this.#failure === undefined;
    this.#failure = writeError(error);
    if (isNews) this.#options.onFailure(this.#failure);
  }

  /** A file in which nothing is whole goes: there would be one more after each attempt. */
  async #abandon({ file, facts }: OpenFile): Promise<void> {
    await file.truncate(facts.bytes).catch(() => undefined);
    await file.close().catch(() => undefined);
    if (facts.blocks > 0) return;
    await this.#options.folder.remove(facts.name).catch(() => undefined);
    this.#files.pop();
    this.#nextNumber -= 1;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(RETRY_MS, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  async #beginFile(startedTimeUs: number): Promise<OpenFile> {
    const { folder, clock } = this.#options;
    await this.#removeOld();
    const name = recordingFileName(this.#nextNumber, startedTimeUs);
    this.#nextNumber += 1;
    const file = await folder.create(name);
    const facts = { name, bytes: 0, blocks: 0, events: 0, firstTimeUs: 0, lastTimeUs: 0 };
    this.#files.push(facts);
    const begun = { file, openedUs: clock.monotonicUs(), facts };
    try {
      await folder.writeIndex(formatIndex(this.#files));
    } catch (error) {
      await this.#abandon(begun);
      throw error;
    }
    return begun;
  }

  async #endFile(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    await current.file.sync();
    await current.file.close();
    await this.#options.folder.writeIndex(formatIndex(this.#files));
  }

  /** Whole files, oldest first. */
  async #removeOld(): Promise<void> {
    const { folder, clock, limits } = this.#options;
    const oldestUs = clock.nowUs() - limits.keptMsMax * 1_000;
    let bytes = this.#files.reduce((sum, file) => sum + file.bytes, 0);
    for (let oldest = this.#files[0]; oldest !== undefined; oldest = this.#files[0]) {
      const isOld = oldest.lastTimeUs > 0 && oldest.lastTimeUs < oldestUs;
      if (bytes <= limits.keptBytesMax && !isOld) return;
      await folder.remove(oldest.name);
      this.#files.shift();
      this.#removedFiles += 1;
      bytes -= oldest.bytes;
    }
  }
}
