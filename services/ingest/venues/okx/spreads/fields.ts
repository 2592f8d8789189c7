// What the messages of spreads have in common with those of OKX's instruments.
import { asJsonArray, asJsonObject, type JsonText, parseJsonText } from "#core/json-text.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";

/** `sprd-public-trades` is what `trades` is of an instrument, `sprd-bbo-tbt` what `bbo-tbt` is. */
const PREFIX = /\bsprd-(?:public-)?/g;

/** The channel of OKX that one of spreads is like; undefined if it is none of spreads. */
export function okxChannelOf(channel: JsonText | undefined): string | undefined {
  if (typeof channel !== "string" || !channel.startsWith("sprd-")) return undefined;
  return channel.replace(PREFIX, "");
}

/** An argument, or a message about one, in the words of OKX's instruments. */
function asOkxArgument(argument: JsonText | undefined): object | undefined {
  const { channel, sprdId: instId } = asJsonObject(argument) ?? {};
  const okxChannel = okxChannelOf(channel);
  if (okxChannel === undefined) return undefined;
  return { channel: okxChannel, ...(instId === undefined ? {} : { instId }) };
}

/** A request as it would be for instruments; what is none of spreads asks for nothing. */
export function asOkxRequest(frame: string): string {
  const { id, op, args } = asJsonObject(parseJsonText(frame)) ?? {};
  const asked = asJsonArray(args)?.flatMap((argument) => asOkxArgument(argument) ?? []);
  return JSON.stringify({ id, op, args: asked ?? [] });
}

/** The answer to a request as it would be for instruments. */
export function asOkxAnswer(message: TextRecord): Readonly<Record<string, unknown>> {
  const { arg, msg } = message;
  const words =
    typeof msg === "string" ? msg.replace(PREFIX, "").replace(/\bsprdId\b/g, "instId") : msg;
  return { ...message, arg: asOkxArgument(arg), msg: words };
}
