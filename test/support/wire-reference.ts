/**
 * A reader of batches as somebody would write it from proto/wire.md alone, on what a standard
 * protobuf library decodes, with bigints throughout: slow, plain, and sharing no code with ours.
 */

/** A decoded message: its fields by their names in the schema, integers as bigints. */
export type PlainMessage = { readonly [field: string]: unknown };
export type PlainReading = Record<string, unknown>;

/** What cannot be what a gateway sent. */
export class MalformedBatch extends Error {}

const FIELDS: Readonly<
  Record<number, readonly (readonly [name: string, column: string, type: string])[]>
> = {
  2: [
    ["bidPrice", "bid_prices", "decimal"],
    ["bidSize", "bid_sizes", "decimal"],
    ["askPrice", "ask_prices", "decimal"],
    ["askSize", "ask_sizes", "decimal"],
  ],
  4: [
    ["intervalMs", "intervals_ms", "integer"],
    ["openTimeUs", "open_times_us", "integer"],
    ["open", "open_prices", "decimal"],
    ["high", "high_prices", "decimal"],
    ["low", "low_prices", "decimal"],
    ["close", "close_prices", "decimal"],
    ["volume", "volumes", "decimal"],
    ["quoteVolume", "quote_volumes", "decimal"],
    ["tradeCount", "trade_counts", "integer"],
    ["closed", "closed", "flag"],
  ],
  5: [
    ["lastPrice", "last_prices", "decimal"],
    ["lastSize", "last_sizes", "decimal"],
    ["openPrice", "open_prices", "decimal"],
    ["highPrice", "high_prices", "decimal"],
    ["lowPrice", "low_prices", "decimal"],
    ["volume", "volumes", "decimal"],
    ["quoteVolume", "quote_volumes", "decimal"],
    ["bidPrice", "bid_prices", "decimal"],
    ["askPrice", "ask_prices", "decimal"],
  ],
  6: [
    ["rate", "funding_rates", "decimal"],
    ["nextFundingTimeUs", "next_funding_times_us", "integer"],
    ["intervalMs", "intervals_ms", "integer"],
  ],
  7: [
    ["markPrice", "mark_prices", "decimal"],
    ["indexPrice", "index_prices", "decimal"],
  ],
  8: [
    ["openInterest", "open_interests", "decimal"],
    ["openInterestValue", "open_interest_values", "decimal"],
  ],
};

const CHANNELS = [
  "",
  "trades",
  "quotes",
  "book",
  "candles",
  "ticker",
  "funding",
  "mark-price",
  "open-interest",
  "liquidations",
  "status",
  "listings",
];
const LISTING_CHANGES = ["changed", "added", "changed", "removed"];
const INSTRUMENT_KINDS = [undefined, "spot", "perpetual", "future", "option", "combo"];
const INSTRUMENT_STATES = [
  undefined,
  "trading",
  "pre-open",
  "auction",
  "halted",
  "post-only",
  "cancel-only",
  "limit-only",
  "reduce-only",
  "maintenance",
  "settling",
  "closed",
  "delisted",
];
const STATES = ["syncing", "syncing", "live", "stale", "gap", "resyncing", "down"];
const SIDES = ["none", "buyer", "seller", "none"];

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);
const unzigzag = (code: bigint): bigint => (code % 2n === 0n ? code / 2n : -(code + 1n) / 2n);

function floorDivide(a: bigint, b: bigint): bigint {
  return a % b < 0n ? a / b - 1n : a / b;
}

function check(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new MalformedBatch(problem);
}

/** The number as plain text without trailing zeros. */
function decimal(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

function trimmed(text: string): string {
  check(/^-?[0-9]+(\.[0-9]+)?$/.test(text) && text.length <= 1_002, "a text is no decimal");
  const [whole = "", fraction = ""] = text.split(".");
  const plain = whole.replace(/^(-?)0+(?=[0-9])/, "$1");
  const rest = fraction.replace(/0+$/, "");
  return rest === "" ? plain.replace(/^-0$/, "0") : `${plain}.${rest}`;
}

type Chain = {
  base: PlainMessage;
  generation: bigint;
  sequence: bigint;
  received: bigint;
  venue: bigint;
  venueReceived: bigint;
  price: bigint;
  askPrice: bigint;
  tradeId: bigint;
  values: bigint[];
};

/** One topic of one connection. */
export class ReferenceTopic {
  position: { epoch: bigint; sequence: bigint } | undefined;
  #chain: Chain | undefined;

  /** The reading of a batch, as in proto/vectors. Throws MalformedBatch. */
  read(batch: PlainMessage, topicId: number): PlainReading {
    const chain =
      batch["base"] === undefined ? this.#chain : chainFrom(batch["base"] as PlainMessage);
    this.#chain = undefined;
    if (chain === undefined) return { topicId, reading: "lost" };
    const snapshot = batch["snapshot"] === true;
    const times = batch["times"] as bigint[];
    check(!snapshot || batch["base"] !== undefined, "a snapshot has no base");
    check(times.length >= 2, "no times");
    if (batch["base"] !== undefined) chain.generation = (times[0] as bigint) / 127n;
    const unit = BigInt(chain.base["venue_time_unit_us"] as number);
    const count = (times.length - 2) / (unit === 0n ? 1 : 2);
    const before = chain.sequence;
    const skipped = batch["skipped"] as bigint;
    const last = snapshot ? before : before + skipped + BigInt(Math.floor(count));
    const anchor = batch["last_sequence"] as bigint;
    if (
      !Number.isInteger(count) ||
      times[0] !== (last % 127n) + chain.generation * 127n ||
      chain.generation > 127n ||
      (anchor !== 0n && anchor !== last)
    ) {
      check(batch["base"] === undefined, "a batch contradicts its base");
      return { topicId, reading: "lost" };
    }
    check(count <= 65_536, "too many events");
    const eventTimes = readTimes(chain, times, { unit, count });
    const publishedTimeUs = Number(chain.received + unzigzag(times[1] as bigint));
    chain.sequence = last;
    const epoch = chain.base["epoch"] as bigint;
    const channel = Number(chain.base["channel"]);
    if (CHANNELS[channel] === undefined || channel === 0) {
      this.position = { epoch, sequence: last };
      return { topicId, reading: "unknown", epoch: Number(epoch), sequence: Number(last) };
    }
    const payload = readPayload(chain, batch, { channel, count });
    if (!snapshot) this.#chain = chain;
    const events = eventTimes.map((time, index) => ({
      sequence: Number(snapshot ? last : last - BigInt(count - 1 - index)),
      ...time,
      ...payload[index],
    }));
    const head = { topicId, epoch, before, last, snapshot, skipped, publishedTimeUs };
    return this.#place(head, events);
  }

  #place(
    head: {
      readonly topicId: number;
      readonly epoch: bigint;
      readonly before: bigint;
      readonly last: bigint;
      readonly snapshot: boolean;
      readonly skipped: bigint;
      readonly publishedTimeUs: number;
    },
    events: readonly { readonly sequence: number }[],
  ): PlainReading {
    const { topicId, epoch, before, last, snapshot, skipped, publishedTimeUs } = head;
    const position = this.position;
    const isSame = position?.epoch === epoch;
    const said = { topicId, epoch: Number(epoch), sequence: Number(last), publishedTimeUs };
    if (snapshot) {
      if (isSame && before < position.sequence) return { topicId, reading: "old" };
      this.position = { epoch, sequence: before };
      return { ...said, reading: "state", events };
    }
    if (isSame && last <= position.sequence && events.length > 0)
      return { topicId, reading: "old" };
    const from = isSame ? position.sequence : -1n;
    this.position = { epoch, sequence: last > from ? last : from };
    return {
      ...said,
      reading: "news",
      ...(skipped === 0n ? {} : { skipped: Number(skipped) }),
      ...(position !== undefined && !isSame ? { gap: "unknown" } : {}),
      ...(isSame && before > from ? { gap: [Number(from) + 1, Number(before)] } : {}),
      events: events.filter(({ sequence }) => sequence > from),
    };
  }

  /** Forgets the chain, after a batch that is malformed. */
  forget(): void {
    this.#chain = undefined;
  }
}

function chainFrom(base: PlainMessage): Chain {
  const received = base["received_time_us"] as bigint;
  check([0, 1, 1_000].includes(base["venue_time_unit_us"] as number), "a unit that is none");
  check((base["trade_id_digits"] as number) <= 18, "too many digits");
  check(Number(base["trade_id_form"]) <= 2, "a form that is none");
  for (const scale of [base["price_scale"], base["size_scale"], ...(base["scales"] as number[])]) {
    check((scale as number) <= 1_000, "a scale that is none");
  }
  return {
    base,
    generation: 0n,
    sequence: base["sequence"] as bigint,
    received,
    venue: wrap(received + (base["venue_time_offset_us"] as bigint)),
    venueReceived: wrap(received + (base["venue_time_received_offset_us"] as bigint)),
    price: base["price"] as bigint,
    askPrice: base["ask_price"] as bigint,
    tradeId: base["trade_id"] as bigint,
    values: [...(base["values"] as bigint[])],
  };
}

function readTimes(
  chain: Chain,
  times: readonly bigint[],
  { unit, count }: { readonly unit: bigint; readonly count: number },
): PlainMessage[] {
  return Array.from({ length: count }, (_, index) => {
    const at = 2 + index * (unit === 0n ? 1 : 2);
    chain.received = wrap(chain.received + (times[at] as bigint));
    const receivedTimeUs = Number(chain.received);
    const code = unit === 0n ? 0n : (times[at + 1] as bigint);
    if (code === 0n) return { receivedTimeUs };
    const passed = floorDivide(chain.received - chain.venueReceived, unit);
    chain.venue = wrap(chain.venue + (unzigzag(code - 1n) + passed) * unit);
    chain.venueReceived = chain.received;
    return { venueTimeUs: Number(chain.venue), receivedTimeUs };
  });
}

type Shape = { readonly channel: number; readonly count: number };

function readPayload(chain: Chain, batch: PlainMessage, shape: Shape): PlainMessage[] {
  const texts = new Map(
    (batch["texts"] as PlainMessage[]).map(({ index, text }) => [index, trimmed(String(text))]),
  ) as Map<number, string>;
  const { channel, count } = shape;
  if (channel === 1) return readTrades(chain, batch, { count, texts });
  if (channel === 3) return readBooks(chain, batch, { count, texts });
  const elements = ELEMENTS.get(channel);
  if (elements !== undefined) {
    const rows = batch[elements.field] as PlainMessage[];
    check(rows.length === count, "rows");
    return rows.map(elements.read);
  }
  return readFields(chain, batch, { channel, count, texts });
}

type Texted = { readonly count: number; readonly texts: ReadonlyMap<number, string> };

/** Price, size and flags of each entry of `prices`. */
function readEntries(
  chain: Chain,
  batch: PlainMessage,
  texts: ReadonlyMap<number, string>,
  isBook: boolean,
): { readonly price: string; readonly size: string; readonly flags: bigint }[] {
  const sizes = [...(batch["sizes"] as bigint[])];
  const entries = (batch["prices"] as bigint[]).map((code, index) => {
    const flags = code % 4n;
    const isAsk = isBook && flags >= 2n;
    const value = wrap((isAsk ? chain.askPrice : chain.price) + unzigzag(code / 4n));
    if (isAsk) chain.askPrice = value;
    else chain.price = value;
    const size = isBook && flags % 2n === 1n ? 0n : sizes.shift();
    check(size !== undefined && size < 2n ** 63n, "sizes");
    return {
      price: texts.get(2 * index) ?? decimal(value, chain.base["price_scale"] as number),
      size: texts.get(2 * index + 1) ?? decimal(size, chain.base["size_scale"] as number),
      flags,
    };
  });
  check(sizes.length === 0, "sizes");
  for (const place of texts.keys()) check(place < 2 * entries.length, "a text beyond its column");
  return entries;
}

function readTrades(chain: Chain, batch: PlainMessage, { count, texts }: Texted): PlainMessage[] {
  const entries = readEntries(chain, batch, texts, false);
  check(entries.length === count, "prices");
  const { trade_id_form: form, trade_id_prefix: prefix, trade_id_digits: digits } = chain.base;
  const deltas = batch["trade_id_deltas"] as bigint[];
  const ids = batch["trade_ids"] as string[];
  if (Number(form) === 1) check(deltas.length === 0 || deltas.length === count, "trade_id_deltas");
  if (Number(form) === 2) check(ids.length === count, "trade_ids");
  return entries.map(({ price, size, flags }, index) => {
    let tradeId = "";
    if (Number(form) === 2) tradeId = ids[index] as string;
    if (Number(form) === 1) {
      chain.tradeId = wrap(chain.tradeId + (deltas[index] ?? 1n));
      tradeId = String(prefix) + chain.tradeId.toString().padStart(digits as number, "0");
    }
    const historical = batch["historical"] === true ? { historical: true } : {};
    return { price, size, aggressorSide: SIDES[Number(flags)], tradeId, ...historical };
  });
}

function readBooks(chain: Chain, batch: PlainMessage, { count, texts }: Texted): PlainMessage[] {
  const entries = readEntries(chain, batch, texts, true);
  let counts = batch["level_counts"] as number[];
  if (counts.length === 0) counts = count === 1 ? [entries.length] : entries.map(() => 1);
  const total = counts.reduce((sum, some) => sum + some, 0);
  check(counts.length === count && total === entries.length, "level_counts");
  return counts.map((some) => {
    const levels = entries.splice(0, some);
    const isAsk = levels.map(({ flags }) => flags >= 2n);
    check(!isAsk.some((ask, index) => !ask && isAsk[index - 1] === true), "a bid behind an ask");
    const side = (ask: boolean): string[][] =>
      levels.filter((_, at) => isAsk[at] === ask).map(({ price, size }) => [price, size]);
    const replaces = batch["replaces"] === true ? { replaces: true } : {};
    return { ...replaces, bids: side(false), asks: side(true) };
  });
}

function readFields(
  chain: Chain,
  batch: PlainMessage,
  { channel, count, texts }: Texted & { readonly channel: number },
): PlainMessage[] {
  const fields = FIELDS[channel] ?? [];
  const columns = fields.map(([, column]) => [...(batch[column] as bigint[])]);
  const full = columns.map((column) => column.length > 0);
  const changes = batch["changes"] as bigint[];
  check(changes.length === 0 || changes.length === count, "changes");
  const known = (chain.base["values"] as bigint[]).length;
  for (const place of texts.keys()) check(place < known * count, "a text beyond its column");
  const events = Array.from({ length: count }, (_, index) => {
    const event: Record<string, unknown> = {};
    for (const [field, [name, , type]] of fields.entries()) {
      const mask = changes[index];
      const isChanged = mask === undefined ? full[field] : (mask >> BigInt(field)) % 2n === 1n;
      const delta = isChanged === true ? columns[field]?.shift() : 0n;
      check(delta !== undefined, "a column is too short");
      const value = wrap((chain.values[field] ?? 0n) + delta);
      chain.values[field] = value;
      if (((chain.base["absent"] as number) >> field) % 2 === 1) continue;
      if (field >= known && channel !== 2) continue;
      const scale = (chain.base["scales"] as number[])[field] ?? 0;
      if (type === "decimal") {
        event[name] = texts.get(known * index + field) ?? decimal(value, scale);
      } else {
        event[name] = type === "flag" ? value !== 0n : Number(value);
      }
    }
    return event;
  });
  check(
    columns.every((column) => column.length === 0),
    "a column is too long",
  );
  return events;
}

function liquidation(row: PlainMessage): PlainMessage {
  const { price, size, aggressor_side: side, liquidation_id: id } = row;
  const event = { price, size, aggressorSide: SIDES[Number(side)] ?? "none" };
  return id === undefined ? event : { ...event, liquidationId: id };
}

function status(row: PlainMessage): PlainMessage {
  return {
    channel: CHANNELS[Number(row["channel"])],
    state: STATES[Number(row["state"])],
    reason: row["reason"],
    sinceTimeUs: Number(row["since_time_us"]),
    ...instrumentStateOf(row),
  };
}

function listing(row: PlainMessage): PlainMessage {
  return {
    change: LISTING_CHANGES[Number(row["change"])],
    symbol: row["symbol"],
    venueSymbol: row["venue_symbol"],
    instrumentKind: INSTRUMENT_KINDS[Number(row["instrument_kind"])],
    baseAsset: row["base_asset"],
    quoteAsset: row["quote_asset"],
    ...instrumentStateOf(row),
    reason: row["reason"],
  };
}

function instrumentStateOf(row: PlainMessage): PlainMessage {
  const state = INSTRUMENT_STATES[Number(row["instrument_state"] ?? 0)];
  const word = row["state_word"];
  return {
    ...(state === undefined ? {} : { instrumentState: state }),
    ...(word === undefined ? {} : { stateWord: word }),
  };
}

/** The channels whose events are messages of their own, by number. */
const ELEMENTS = new Map([
  [9, { field: "liquidations", read: liquidation }],
  [10, { field: "statuses", read: status }],
  [11, { field: "listings", read: listing }],
]);
