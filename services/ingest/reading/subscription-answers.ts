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

/** A refusal as the venue says it. */
export type Refused = { readonly reason: string; readonly code?: string | undefined };

/** Says that the venue refused all of this; where it is nothing, that it refused something. */
export function emitRefused(asked: readonly Asked[], refused: string | Refused, emit: Emit): void {
  const { reason, code }: Refused = typeof refused === "string" ? { reason: refused } : refused;
  const why = code === undefined ? { reason } : { reason, code };
  let isAbout = false;
  for (const { channels, ...named } of asked) {
    for (const channel of channels) {
      isAbout = true;
      emit({ kind: "refused", ...named, channel, ...why });
    }
  }
  if (!isAbout) emit({ kind: "refused", venueSymbol: undefined, channel: undefined, ...why });
}

/** A code as text, whatever it is written as; undefined if there is none. */
export function refusalCode(code: unknown): string | undefined {
  return typeof code === "string" || typeof code === "number" ? String(code) : undefined;
}

/** A venue's words for why it refuses something, else its code, whatever it is written as. */
export function refusalText(words: unknown, code: unknown): string {
  if (typeof words === "string" && words !== "") return words;
  return typeof code === "string" || typeof code === "number" ? `code ${code}` : "refused";
}
