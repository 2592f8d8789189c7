import { randomUUID } from "node:crypto";
import { connect, isoOfUs, type Client, type Quote, type Status } from "@tickwire/client";
import { ArbitrageWatch, type Alert } from "./arbitrage.ts";
import { readSettings, USAGE, type Settings } from "./settings.ts";
import { DeadLetters } from "./webhook/dead-letters.ts";
import { createPost } from "./webhook/post.ts";
import { WebhookSender } from "./webhook/sender.ts";
import { parseSigningKeys } from "./webhook/signature.ts";

const LIMITS = {
  messagesMax: 1_000,
  inFlightMax: 4,
  attemptsMax: 10,
  backoffMs: 1_000,
  backoffMsMax: 300_000,
};
const POST_TIMEOUT_MS = 15_000;

/** Runs until `ended`. Rejects if the gateway cannot be reached. */
async function run(settings: Settings, ended: Promise<unknown>): Promise<void> {
  const letters = new DeadLetters(settings.deadLetters, remark);
  const sender = createSender(settings, letters);
  if (settings.redeliver && sender !== undefined) {
    const send = sender.send.bind(sender);
    const count = await letters.redeliver(send, () => sender.whenIdle());
    print(`${sender.delivered} of ${count} dead letters are delivered`);
    return;
  }
  const client = await connect(settings.url, { clientName: "arbitrage-alerts" });
  try {
    const onAlert = (alert: Alert, timeUs: number): void => {
      print(lineOf(alert, timeUs));
      const { type, ...legs } = alert;
      const data = { asset: settings.asset, ...legs };
      const body = JSON.stringify({ type, timestamp: isoOfUs(timeUs), data });
      sender?.send({ id: `msg_${randomUUID()}`, body });
    };
    await Promise.race([ended, watch(client, settings, onAlert)]);
  } finally {
    client.close();
    await sender?.close();
  }
}

function createSender(settings: Settings, letters: DeadLetters): WebhookSender | undefined {
  if (settings.webhook === undefined) return undefined;
  const post = createPost({
    url: settings.webhook,
    keys: parseSigningKeys(process.env["WEBHOOK_KEYS"] ?? ""),
    allowedAddresses: settings.allowedAddresses,
    timeoutMs: POST_TIMEOUT_MS,
  });
  return new WebhookSender({
    post,
    bury: (letter) => letters.add(letter),
    log: remark,
    nowMs: () => Date.now(),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
    limits: LIMITS,
  });
}

/**
 * The share of each venue is an instrument of its own, `ASSET@VENUE.SYMBOL`. Rejects when the
 * gateway serves no more.
 */
function watch(
  client: Client,
  settings: Settings,
  onAlert: (alert: Alert, timeUs: number) => void,
): Promise<never> {
  const { asset, fees, feeBasisPoints, gainBasisPointsMin, quietUs } = settings;
  const feeBasisPointsOf = (source: string): number =>
    fees.get(source.split(".")[0] ?? "") ?? feeBasisPoints;
  const arbitrage = new ArbitrageWatch({ gainBasisPointsMin, quietUs, feeBasisPointsOf });
  let timeUs = 0;
  const tell = (alert: Alert | undefined): void => {
    if (alert !== undefined) onAlert(alert, timeUs);
  };
  const sourceOf = ({ symbol }: Quote | Status): string | undefined =>
    symbol.startsWith(`${asset}@`) ? symbol.slice(asset.length + 1) : undefined;

  client.onState((state, { reason }) => {
    if (state !== "reconnecting") return;
    remark(`connection lost: ${reason}`);
    tell(arbitrage.reset(timeUs));
  });
  return new Promise((_resolve, onError) => {
    const onQuote = (quote: Quote): void => {
      const source = sourceOf(quote);
      timeUs = quote.receivedTimeUs;
      if (source !== undefined) tell(arbitrage.onQuote(source, quote, timeUs));
      else if (quote.symbol === asset && quote.initial) print(lineOfQuote(quote));
    };
    const onStatus = (status: Status): void => {
      const source = sourceOf(status);
      if (source === undefined || status.channel !== "quotes") return;
      // A share that is set aside is empty, so that its quote says all; this says why.
      remark(`${source} is ${status.state}: ${status.reason}`);
    };
    client.onQuotes("consolidated:*", onQuote, { onError });
    client.onStatus("consolidated:*", onStatus, { onError });
  });
}

function lineOfQuote(quote: Quote): string {
  const { symbol, bidPriceText, bidSizeText, askPriceText, askSizeText } = quote;
  const bid = `${bidSizeText} @ ${bidPriceText}`;
  return `${isoOfUs(quote.receivedTimeUs)} ${symbol} ${bid} | ${askSizeText} @ ${askPriceText}`;
}

function lineOf({ type, buy, sell, gainBasisPoints }: Alert, timeUs: number): string {
  const [, what = ""] = type.split(".");
  const bought = `buy ${buy.size} @ ${buy.price} at ${buy.source}`;
  const sold = `sell ${sell.size} @ ${sell.price} at ${sell.source}`;
  return `${isoOfUs(timeUs)} ${what} ${bought}, ${sold}: ${gainBasisPoints} basis points`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

try {
  const ended = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, resolve);
  });
  await run(readSettings(process.argv.slice(2)), ended);
} catch (error) {
  remark(error instanceof Error ? error.message : String(error));
  remark(USAGE);
  process.exitCode = 1;
}
