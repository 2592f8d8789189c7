import { Command, InvalidArgumentError, Option } from "commander";
import { quotedText } from "#core/visible-text.ts";
import { splitTopic } from "#core/topic.ts";
import {
  COMPRESSIONS,
  USABLE_COMPRESSIONS,
  type Compression,
} from "#recording/format/compression.ts";
import { addAdminOption } from "../process/admin-process.ts";
import { addConfigOptions } from "../process/config-options.ts";
import { UsageError } from "../process/errors.ts";
import { addUrlOption } from "../process/gateway-address.ts";
import { addSecretOption } from "../process/gateway-secret.ts";
import { parseBytes, parseSeconds } from "../process/parse-option.ts";
import { recordRaw } from "../recording/record-raw.ts";
import { recordTopics, type TopicRecordOptions } from "../recording/record-topics.ts";

type RecordOptions = TopicRecordOptions & { readonly raw?: boolean };

const FILE_BYTES_DEFAULT = 64 * 1024 * 1024;
const FILE_SECONDS_DEFAULT = 3_600;
const FLUSH_SECONDS_DEFAULT = 1;

/** `tickwire record TOPIC...`: topics into files; with `--raw` a venue's frames into a capture. */
export function createRecordCommand(): Command {
  const command = new Command("record")
    .description(
      "Records the events of topics into a folder of files, which replay plays and convert reads. " +
        "With --raw it connects to a venue as ingest does and records what passes into a capture, " +
        "for replay and normalize; secrets in it are blotted out. Ends at --duration or Ctrl-C.",
    )
    .argument("<what...>", "VENUE:SYMBOL/channel, each part may be *; with --raw ID or ID:SYMBOLS")
    .requiredOption("--out <path>", "folder of the recording; with --raw the capture to create")
    .option("--raw", "record the frames of one venue")
    .option("--bus", "read the bus of the configuration instead of a gateway")
    .option("--duration <seconds>", "end after this long", parseSeconds);
  addConfigOptions(addKeepingOptions(addSecretOption(addUrlOption(command))));
  return addAdminOption(command, "record")
    .addHelpText(
      "after",
      `
Examples:
  tickwire record 'simulated:*/trades' 'simulated:BTC-USD/book' --out ./recording
  tickwire record '*:*/quotes' --out ./quotes --keep-size 20GB --keep-time 604800 --bus
  tickwire record --raw binance:BTC-USDT --out btc.ndjson.gz --duration 60`,
    )
    .action(async (what: readonly string[], options: RecordOptions) => {
      if (options.raw === true) {
        const [venue = "", ...others] = what;
        if (others.length > 0) throw new UsageError("record --raw takes one venue");
        await recordRaw(venue, options);
        return;
      }
      for (const topic of what) requireTopic(topic);
      await recordTopics(what, options);
    });
}

/** Throws InvalidArgumentError, also for what this Node cannot do. */
function parseCompression(text: string): Compression {
  const compression = COMPRESSIONS.find((known) => known === text);
  if (compression === undefined) {
    throw new InvalidArgumentError(`Allowed choices are ${COMPRESSIONS.join(", ")}.`);
  }
  if (USABLE_COMPRESSIONS.includes(compression)) return compression;
  throw new InvalidArgumentError("It needs Node 22.15 or newer; take gzip, or a newer Node.");
}

function addKeepingOptions(command: Command): Command {
  const compress = new Option("--compress <how>", "how blocks are compressed")
    .choices(COMPRESSIONS)
    .argParser(parseCompression)
    .default("gzip" satisfies Compression);
  return command
    .addOption(compress)
    .option(
      "--file-size <bytes>",
      "begin the next file at this size",
      parseBytes,
      FILE_BYTES_DEFAULT,
    )
    .option("--file-time <seconds>", "and at this age", parseSeconds, FILE_SECONDS_DEFAULT)
    .option("--keep-size <bytes>", "remove the oldest files beyond this", parseBytes)
    .option("--keep-time <seconds>", "remove files that ended so long ago", parseSeconds)
    .option(
      "--flush <seconds>",
      "write so often: what a kill can cost",
      parseSeconds,
      FLUSH_SECONDS_DEFAULT,
    )
    .option("--json", "print a line of JSON after each flush, when the disk has it");
}

function requireTopic(text: string): void {
  if (splitTopic(text) !== undefined) return;
  const problem = `${quotedText(text)} is no topic, which is VENUE:SYMBOL/channel`;
  throw new UsageError(`${problem}; --raw records the frames of a venue`);
}
