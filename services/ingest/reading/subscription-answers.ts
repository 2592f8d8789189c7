import type { Channel } from "#core/instrument.ts";
import { type Emit, heartbeat } from "./emit.ts";

/** What a request, or the answer to it, is about. */
export type Asked = {
  readonly venueSymbol: string;
  readonly venueMarket?: string;
  readonly channels: readonly Channel[];
};

/** Says that the venue confirmed all of this; where it is nothing, that the connection is alive. */
export function emitSubscribed(asked: readonly Asked[], emit: Emit): void {
  let isAbout = false;
  for (const { channels, ...named } of asked) {
    for (const channel of channels) {
      isAbout = true;
      emit({ kind: "subscribed", ...named, channel });
    }
  }
  if (!isAbout) heartbeat(emit);
}

/** Says that the venue refused all of this; where it is nothing, that it refused something. */
export function emitRefused(asked: readonly Asked[], reason: string, emit: Emit): void {
  let isAbout = false;
  for (const { channels, ...named } of asked) {
    for (const channel of channels) {
      isAbout = true;
      emit({ kind: "refused", ...named, channel, reason });
    }
  }
  if (!isAbout) emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
}

/** A venue's words for why it refuses something, else its code, whatever it is written as. */
export function refusalText(words: unknown, code: unknown): string {
  if (typeof words === "string" && words !== "") return words;
  return typeof code === "string" || typeof code === "number" ? `code ${code}` : "refused";
}
