import { readFileSync } from "node:fs";
import { WireError } from "@tickwire/proto/codec";
import { Command, Option } from "commander";
import { decodeMessage, formOf, MESSAGE_FORMS } from "../output/decoded-message.ts";
import type { DecodedMessage, MessageForm } from "../output/decoded-message.ts";
import { describeMessage } from "../output/decoded-text.ts";
import { printLine } from "../output/terminal.ts";
import { CommandError, UsageError } from "../process/errors.ts";
import { readInputBytes } from "../process/read-input.ts";

type DecodeOptions = { readonly as?: MessageForm; readonly json?: boolean };

/** `tickwire decode [INPUT]`: a frame or a message of the bus in words. */
export function createDecodeCommand(): Command {
  return new Command("decode")
    .description(
      "Prints what a frame of a client or a gateway, or a message of the bus, says: its messages as " +
        "JSON, its batches column by column and event by event.",
    )
    .argument("[input]", "bytes in hex, or a file of bytes or of hex; - reads standard input", "-")
    .addOption(
      new Option("--as <form>", "what the bytes are, where they do not show it").choices(
        MESSAGE_FORMS,
      ),
    )
    .option("--json", "print what they say as one JSON object")
    .addHelpText(
      "after",
      `
In hex, what follows two spaces in a line is a remark. A frame of a client may read as one of a gateway:
say --as client-frame. Batches of one topic go on from one another:
give frames one after the other, which are one frame.

Examples:
  tickwire decode "0a 04 22 02 08 09"
  tickwire decode frame.bin
  jq -r .steps[].frame proto/vectors/trades.json | tickwire decode
  nats sub --raw --count 1 'md.v2.kraken.trades.>' | tickwire decode --as batch --json`,
    )
    .action(async (input: string, options: DecodeOptions) => {
      const bytes = await bytesOf(input);
      const form = options.as ?? formOf(bytes);
      if (form === undefined) {
        throw new CommandError("these bytes are no frame and no batch of the bus; see --as");
      }
      const decoded = decode(form, bytes);
      if (options.json === true) printLine(JSON.stringify(decoded));
      else for (const line of describeMessage(decoded)) printLine(line);
    });
}

function decode(form: MessageForm, bytes: Uint8Array): DecodedMessage {
  try {
    return decodeMessage(form, bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new CommandError(`the bytes are no ${form}: ${error.message}`, { cause: error });
  }
}

async function bytesOf(input: string): Promise<Uint8Array> {
  if (input === "-") return bytesOrHex(await readInputBytes(process.stdin));
  const argument = hexBytes(input);
  if (argument !== undefined) return argument;
  try {
    return bytesOrHex(readFileSync(input));
  } catch (error) {
    throw new UsageError(`${input} is no hex, and no file: ${(error as Error).message}`);
  }
}

/** What was read, or what it says in hex if it is text of that. */
function bytesOrHex(content: Buffer): Uint8Array {
  return hexBytes(content.toString("latin1")) ?? content;
}

const HEX_LINE = /^\s*((?:[0-9a-f]{2} ?)*)(?: .*)?$/i;

/** The bytes that a text says in pairs of digits, line by line; undefined if it is none. */
function hexBytes(text: string): Uint8Array | undefined {
  let digits = "";
  for (const line of text.split(/\r?\n/)) {
    const match = HEX_LINE.exec(line);
    if (match === null) return undefined;
    digits += (match[1] ?? "").replaceAll(" ", "");
  }
  return digits === "" ? undefined : Buffer.from(digits, "hex");
}
