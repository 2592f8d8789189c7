import type { StreamEvent } from "@tickwire/client";
import { StreamLedger } from "./stream-ledger.ts";

/** The same books, which mind that each event comes once as well; a state may come again. */
export class OnceLedger extends StreamLedger {
  /** Events whose sequence had come already. */
  doubled = 0;
  readonly #last = new Map<string, { readonly epoch: number; readonly sequence: number }>();

  override take(event: StreamEvent): void {
    super.take(event);
    const isNews =
      event.type === "trade" ||
      event.type === "quote" ||
      (event.type === "book" && !event.snapshot);
    if (!isNews) return;
    const { topic, epoch, sequence } = event;
    const last = this.#last.get(topic);
    if (last?.epoch === epoch && sequence <= last.sequence) this.doubled += 1;
    this.#last.set(topic, { epoch, sequence });
  }
}
