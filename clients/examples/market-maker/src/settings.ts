import { parseArgs } from "node:util";

/** What the bot is told on its command line. Times are microseconds since 1970. */
export type Settings = {
  readonly url: string;
  /** `VENUE:SYMBOL` */
  readonly instrument: string;
  readonly durationUs: number;
  /** Trading begins here; shortly after the first news if absent. */
  readonly startUs: number | undefined;
  /** Whether to read the gateway's past from `startUs` on, instead of what is live. */
  readonly past: boolean;
  readonly orderSize: number;
  readonly positionMax: number;
  readonly lossMax: number;
  readonly feeBasisPoints: number;
};

export const USAGE = `node dist/main.js [options]

  --url URL             gateway (ws://127.0.0.1:8080)
  --instrument NAME     VENUE:SYMBOL (simulated:BTC-USD)
  --duration SECONDS    how long to trade (60)
  --start TIME          begin at this time of the events, as a live run printed it
  --past                take the events from the gateway's log instead of live (needs --start)
  --order-size SIZE     of each quote (0.01)
  --position-max SIZE   (0.05)
  --loss-max AMOUNT     of the quote asset; then it stops for good (1000)
  --fee BASIS_POINTS    of what is traded (0)`;

/** Reads the command line. Throws an Error with a sentence for what is wrong with it. */
export function readSettings(args: readonly string[]): Settings {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { ...text, default: "ws://127.0.0.1:8080" },
      instrument: { ...text, default: "simulated:BTC-USD" },
      duration: { ...text, default: "60" },
      start: text,
      past: { type: "boolean", default: false },
      "order-size": { ...text, default: "0.01" },
      "position-max": { ...text, default: "0.05" },
      "loss-max": { ...text, default: "1000" },
      fee: { ...text, default: "0" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) throw new Error("A market maker on paper.");
  if (values.past && values.start === undefined) throw new Error("--past needs --start");
  if (!/^[^:]+:.+$/.test(values.instrument)) throw new Error("--instrument is VENUE:SYMBOL");
  return {
    url: values.url,
    instrument: values.instrument,
    durationUs: numberOf("--duration", values.duration) * 1e6,
    startUs: values.start === undefined ? undefined : timeOf(values.start),
    past: values.past,
    orderSize: numberOf("--order-size", values["order-size"]),
    positionMax: numberOf("--position-max", values["position-max"]),
    lossMax: numberOf("--loss-max", values["loss-max"]),
    feeBasisPoints: Number(values.fee),
  };
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${name} is a number above 0`);
  return value;
}

/** An ISO text, of which microseconds count too. */
function timeOf(text: string): number {
  const micros = /\.\d{3}(\d{3})Z$/.exec(text)?.[1] ?? "0";
  const timeUs = Date.parse(text) * 1_000 + Number(micros);
  if (!(timeUs > 0)) throw new Error("--start is a time like 2026-11-26T10:00:00Z");
  return timeUs;
}
