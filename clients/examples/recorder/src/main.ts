import { parseArgs } from "node:util";
import { connect, usOfDate } from "@tickwire/client";
import { queryFile, TradeStore } from "./store.ts";

const USAGE = `node dist/main.js [options]

  --url URL        gateway (ws://127.0.0.1:8080)
  --topics TOPICS  instruments, such as binance:* (simulated:*)
  --file FILE      DuckDB file (trades.duckdb)
  --query SQL      answer this from the file, and end`;

/** A process that is killed loses what came since the last time. */
const FLUSH_MS = 1_000;

type Settings = { readonly url: string; readonly topics: string; readonly file: string };

/** Records until a signal. Rejects if the gateway serves no more. */
async function record({ url, topics, file }: Settings): Promise<void> {
  const client = await connect(url, { clientName: "recorder" });
  const store = await TradeStore.open(file);
  const nowUs = (): number => usOfDate(new Date());
  let timer: NodeJS.Timeout | undefined;
  try {
    store.addMark(topics, "started", nowUs());
    await new Promise<void>((resolve, reject) => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
      client.onTrades(topics, (trade) => store.addTrade(trade), {
        // Only what happens from now on: trades of before may be in the file already.
        snapshot: false,
        onNotice: (notice) => {
          if (notice.type === "gap") store.addGap(notice, nowUs());
        },
        onError: reject,
      });
      client.onState((state, { reason }) => remark(`${state}: ${reason}`));
      timer = setInterval(() => store.flush(), FLUSH_MS);
      remark(`recording ${topics} into ${file}`);
    });
  } finally {
    clearInterval(timer);
    client.close();
    store.addMark(topics, "ended", nowUs());
    store.close();
    const unfit = store.unfit === 0 ? "" : `, ${store.unfit} left out: their numbers are too long`;
    remark(`${store.rows} trades are in ${file}${unfit}`);
  }
}

function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

try {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      url: { ...text, default: "ws://127.0.0.1:8080" },
      topics: { ...text, default: "simulated:*" },
      file: { ...text, default: "trades.duckdb" },
      query: text,
    },
  });
  const { query, ...settings } = values;
  if (query === undefined) await record(settings);
  else for (const line of await queryFile(values.file, query)) process.stdout.write(`${line}\n`);
} catch (error) {
  remark(error instanceof Error ? error.message : String(error));
  remark(USAGE);
  process.exitCode = 1;
}
