// Products that are one market under two names.
// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { type Emit, reject } from "../../../reading/emit.ts";
import type { Asked } from "../../../reading/subscription-answers.ts";

/** Products that are remembered of one connection; far more than one has. */
const PRODUCTS_MAX = 10_000;

const NONE: readonly Instrument[] = [];

/**
 * Whom the data of a product is for, on one connection: the product itself and the aliases of it
 * that were asked for there. The venue sends what it knows of an alias (`BTC-USDC`) under the name
 * that it stands for (`BTC-USD`); one that has data under its own name gets that alone.
 */
export class ProductNames {
  readonly #catalog: InstrumentCatalog;
  readonly #asked = new Set<string>();
  /** Aliases that had data under their own names. */
  readonly #separate = new Set<Instrument>();
  /** By the name in a message; begun anew whenever something else decides. */
  #known = new Map<string, readonly Instrument[]>();

  constructor(catalog: InstrumentCatalog) {
    this.#catalog = catalog;
  }

  /** Takes note of products that were asked for. */
  asked(products: readonly unknown[]): void {
    for (const product of products) {
      if (typeof product === "string" && this.#asked.size < PRODUCTS_MAX) this.#asked.add(product);
    }
    this.#known = new Map();
  }

  /** The same for a product whose data was read before; undefined if it has to be read. */
  knownOf(product: string): readonly Instrument[] | undefined {
    return this.#known.get(product);
  }

  /** Nobody, and counted, if the name is no text or no product of the list. */
  ofData(product: unknown, emit: Emit): readonly Instrument[] {
    if (typeof product !== "string") {
      reject(emit, "missing-field");
      return NONE;
    }
    const known = this.#known.get(product);
    if (known !== undefined) return known;
    const instruments = this.#ofProduct(product);
    const [first] = instruments;
    if (first === undefined) reject(emit, "unknown-instrument");
    else if (first.venueMarket !== undefined && !this.#separate.has(first)) {
      this.#separate.add(first);
      this.#known = new Map();
    }
    if (instruments.length > 0) this.#known.set(product, instruments);
    return instruments;
  }

  /** What an answer about this product is about. */
  ofAnswer({ venueSymbol, channels }: Asked): readonly Asked[] {
    const instruments = this.#ofProduct(venueSymbol);
    if (instruments.length === 0) return [{ venueSymbol, channels }];
    return instruments.map(({ venueSymbol: name, venueMarket }) => ({
      venueSymbol: name,
      ...(venueMarket === undefined ? {} : { venueMarket }),
      channels,
    }));
  }

  #ofProduct(product: string): readonly Instrument[] {
    // A catalog that derives knows any name, so aliases are looked for first.
    const alias = this.#catalog
      .allByVenueSymbol(product)
      .find(({ venueMarket }) => venueMarket !== undefined);
    if (alias !== undefined) return [alias];
    const own = this.#catalog.byVenueSymbol(product);
    const aliases = [...this.#asked].flatMap((name) => {
      const instrument = name === product ? undefined : this.#aliasOf(name, product);
      return instrument === undefined || this.#separate.has(instrument) ? [] : [instrument];
    });
    return own === undefined ? aliases : [own, ...aliases];
  }

  #aliasOf(name: string, product: string): Instrument | undefined {
    return this.#catalog.allByVenueSymbol(name).find(({ venueMarket }) => venueMarket === product);
  }
}
