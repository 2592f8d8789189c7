import { EVENT_KINDS } from "../../model/vocabulary.ts";
import { BOOKS_PAYLOAD } from "./books-payload.ts";
import { ChainReader } from "./chain-reader.ts";
import { payloadTable } from "./payload.ts";
import { QUOTES_PAYLOAD } from "./quotes-payload.ts";
import { rowsPayload } from "./rows-payload.ts";
import { TRADES_PAYLOAD } from "./trades-payload.ts";

const HOT_PAYLOADS = [TRADES_PAYLOAD, QUOTES_PAYLOAD, BOOKS_PAYLOAD];

/** Every channel of the schema. */
export const ALL_PAYLOADS = /* @__PURE__ */ payloadTable(
  /* @__PURE__ */ EVENT_KINDS.map(
    (kind) => HOT_PAYLOADS.find((payload) => payload.kind === kind.rows) ?? rowsPayload(kind),
  ),
);

/** Reads the chain of a topic of any channel. */
export class BatchReader extends ChainReader {
  constructor() {
    super(ALL_PAYLOADS);
  }
}
