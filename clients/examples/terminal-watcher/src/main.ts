import { parseArgs } from "node:util";
import { connect } from "@tickwire/client";
import { MarketTable, type Order } from "./market-table.ts";

const USAGE = `node dist/main.js [options]

  --url URL        gateway (ws://127.0.0.1:8080)
  --topics TOPICS  instruments, such as binance:* (simulated:*)
  --interval MS    between drawings (500)

Keys: t, s and n order by trades, spread and name; q ends it.
Without a terminal, tables follow each other.`;

const ESCAPE = "\u001b[";
const ORDERS: Readonly<Record<string, Order>> = { t: "trades", s: "spread", n: "name" };
const SIZE_UNKNOWN = { columns: 100, rows: 20 };

type Settings = { readonly url: string; readonly topics: string; readonly intervalMs: number };

/** Draws until a key or a signal ends it. Rejects if the gateway serves no more. */
async function watch({ url, topics, intervalMs }: Settings): Promise<void> {
  const { stdin, stdout } = process;
  const client = await connect(url, { clientName: "terminal-watcher" });
  const table = new MarketTable();
  let order: Order = "trades";
  const draw = (): void => {
    // Some terminals do not say how large they are.
    const { columns, rows } = stdout.columns > 0 ? stdout : SIZE_UNKNOWN;
    const title = `${url} ${client.state}, by ${order}`.slice(0, columns);
    const lines = [title, ...table.lines({ order, lines: rows - 2, columns })];
    if (!stdout.isTTY) stdout.write(`${lines.join("\n")}\n\n`);
    // Over what is there, line by line: a screen that is cleared first would flicker.
    else stdout.write(`${ESCAPE}H${lines.map((line) => `${line}${ESCAPE}K\n`).join("")}${ESCAPE}J`);
  };
  let timer: NodeJS.Timeout | undefined;
  if (stdout.isTTY) stdout.write(`${ESCAPE}?1049h${ESCAPE}?25l`);
  if (stdin.isTTY) stdin.setRawMode(true);
  try {
    await new Promise<void>((resolve, reject) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
      if (stdin.isTTY) {
        stdin.on("data", (data: Buffer) => {
          const key = data.toString();
          // A terminal in this mode sends Ctrl-C as a key.
          if (key === "q" || key === "\u0003") resolve();
          order = ORDERS[key] ?? order;
          draw();
        });
      }
      // What cannot be seen need not be sent: the latest quote of each interval is enough.
      const onQuotes = { onError: reject, conflationIntervalMs: intervalMs };
      client.onQuotes(topics, (quote) => table.onQuote(quote), onQuotes);
      client.onTrades(topics, (trade) => table.onTrade(trade), {
        onError: reject,
        snapshot: false,
      });
      timer = setInterval(() => {
        table.step(intervalMs / 1_000);
        draw();
      }, intervalMs);
    });
  } finally {
    clearInterval(timer);
    client.close();
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
    if (stdout.isTTY) stdout.write(`${ESCAPE}?25h${ESCAPE}?1049l`);
  }
}

try {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      url: { ...text, default: "ws://127.0.0.1:8080" },
      topics: { ...text, default: "simulated:*" },
      interval: { ...text, default: "500" },
    },
  });
  const intervalMs = Number(values.interval);
  if (!(intervalMs >= 50 && intervalMs <= 10_000)) throw new Error("--interval is 50 to 10000");
  await watch({ url: values.url, topics: values.topics, intervalMs });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exitCode = 1;
}
