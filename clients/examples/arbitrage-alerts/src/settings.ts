import { parseArgs } from "node:util";

/** What the program is told on its command line. */
export type Settings = {
  readonly url: string;
  readonly asset: string;
  readonly gainBasisPointsMin: number;
  readonly feeBasisPoints: number;
  /** By the venue. */
  readonly fees: ReadonlyMap<string, number>;
  readonly quietUs: number;
  readonly webhook: string | undefined;
  readonly allowedAddresses: readonly string[];
  readonly deadLetters: string;
  /** Whether to send the dead letters again, and nothing else. */
  readonly redeliver: boolean;
};

export const USAGE = `node dist/main.js [options]

  --url URL                gateway (ws://127.0.0.1:8080)
  --asset SYMBOL           what is consolidated (BTC-USD)
  --gain-min BASIS_POINTS  alert from so much on, after fees (1)
  --fee BASIS_POINTS       of each trade (0)
  --fee-of VENUE=POINTS    of that venue; repeatable
  --quiet SECONDS          do not alert again so soon after an alert (10)
  --webhook URL            where alerts are posted to; only printed without it
  --allow-address NETWORK  let the webhook be there, although it is not public; repeatable
  --dead-letters FILE      what could not be delivered (dead-letters.ndjson)
  --redeliver              send what is in that file again, and end

The keys that sign are in the environment, as WEBHOOK_KEYS: whsec_... or whsk_..., separated by spaces.`;

/** Reads the command line. Throws an Error with a sentence for what is wrong with it. */
export function readSettings(args: readonly string[]): Settings {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { ...text, default: "ws://127.0.0.1:8080" },
      asset: { ...text, default: "BTC-USD" },
      "gain-min": { ...text, default: "1" },
      fee: { ...text, default: "0" },
      "fee-of": { ...text, multiple: true, default: [] },
      quiet: { ...text, default: "10" },
      webhook: text,
      "allow-address": { ...text, multiple: true, default: [] },
      "dead-letters": { ...text, default: "dead-letters.ndjson" },
      redeliver: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) throw new Error("Alerts where one venue bids more than another one asks.");
  if (values.redeliver && values.webhook === undefined) {
    throw new Error("--redeliver needs --webhook");
  }
  return {
    url: values.url,
    asset: values.asset,
    gainBasisPointsMin: numberOf("--gain-min", values["gain-min"]),
    feeBasisPoints: numberOf("--fee", values.fee),
    fees: new Map(values["fee-of"].map(feeOf)),
    quietUs: numberOf("--quiet", values.quiet) * 1e6,
    webhook: values.webhook,
    allowedAddresses: values["allow-address"],
    deadLetters: values["dead-letters"],
    redeliver: values.redeliver,
  };
}

function feeOf(text: string): [venue: string, basisPoints: number] {
  const [venue = "", points = ""] = text.split("=");
  return [venue, numberOf(`--fee-of ${venue}`, points)];
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0)) throw new Error(`${name} is a number, 0 or above`);
  return value;
}
