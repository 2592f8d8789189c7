import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { bytesOf } from "./frame-bytes.ts";

/** A venue's name of an instrument, and what a decoder keeps of the instrument. */
type Entry<State> = {
  readonly name: Uint8Array;
  readonly instrument: Instrument;
  readonly state: State;
  /** The version of the catalog in which the instrument was last found under this name. */
  version: number;
};

const SLOTS_MIN = 64;
const NAME = /^[\x21-\x7e]{1,64}$/;

/**
 * Finds what is kept of an instrument by the bytes of its name in a frame, so that no text has to
 * be made of them. It knows the instruments that were added, as long as the catalog has them.
 */
export class SymbolTable<State> {
  readonly #catalog: InstrumentCatalog;
  /** Open addressing; at most half of the slots are used. */
  #slots: (Entry<State> | undefined)[] = Array.from({ length: SLOTS_MIN });
  #count = 0;

  constructor(catalog: InstrumentCatalog) {
    this.#catalog = catalog;
  }

  /** A name that is not plain ASCII is not added. Another instrument of the same name replaces. */
  add(instrument: Instrument, state: State): void {
    const { venueSymbol } = instrument;
    if (!NAME.test(venueSymbol)) return;
    const name = bytesOf(venueSymbol);
    const entry = { name, instrument, state, version: this.#catalog.version };
    const slot = this.#slotOf(name, 0, name.length);
    if (this.#slots[slot] === undefined) this.#count += 1;
    this.#slots[slot] = entry;
    if (2 * this.#count > this.#slots.length) this.#grow();
  }

  /** Undefined for a name that is not known, or whose instrument is gone. */
  find(bytes: Uint8Array, start: number, end: number): State | undefined {
    const entry = this.#slots[this.#slotOf(bytes, start, end)];
    if (entry === undefined) return undefined;
    const { version } = this.#catalog;
    if (entry.version !== version) {
      const { instrument } = entry;
      if (!this.#catalog.allByVenueSymbol(instrument.venueSymbol).includes(instrument)) {
        return undefined;
      }
      entry.version = version;
    }
    return entry.state;
  }

  /**
   * The same for a frame with which an instrument may begin: one that is in the catalog, under a
   * name that no other has, is made by `make`, which adds it.
   */
  findOrMake(
    bytes: Uint8Array,
    start: number,
    end: number,
    make: (instrument: Instrument) => State,
  ): State | undefined {
    const known = this.find(bytes, start, end);
    if (known !== undefined) return known;
    const name = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + 65)));
    const [instrument, ...others] = this.#catalog.allByVenueSymbol(name);
    return instrument === undefined || others.length > 0 ? undefined : make(instrument);
  }

  /** Where the name stands, or where there is room for it. */
  #slotOf(bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hash = end - start;
    for (let at = start; at < end; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const entry = slots[slot];
      if (entry === undefined || isName(entry.name, bytes, start, end)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #grow(): void {
    const entries = this.#slots.filter((entry) => entry !== undefined);
    this.#slots = Array.from({ length: 2 * this.#slots.length });
    for (const entry of entries) {
      this.#slots[this.#slotOf(entry.name, 0, entry.name.length)] = entry;
    }
  }
}

function isName(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const { length } = name;
  if (length !== end - start) return false;
  for (let index = 0; index < length; index += 1) {
    if (name[index] !== bytes[start + index]) return false;
  }
  return true;
}
