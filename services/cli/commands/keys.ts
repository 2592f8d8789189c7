import { Command } from "commander";
import { quotedText } from "#core/visible-text.ts";
import { parseAccessFile } from "#gateway/access/access-file.ts";
import type { AccessFile } from "#gateway/access/access-file.ts";
import { formatApiKey, hashOfKey } from "#gateway/access/api-keys.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { printLine, printLines, remark } from "../output/terminal.ts";
import { addConfigOptions, collect } from "../process/config-options.ts";
import type { ConfigOptions } from "../process/config-options.ts";
import { CommandError, UsageError } from "../process/errors.ts";
import { newKeyParts, readFileIfThere, replaceFile } from "../process/secret-files.ts";
import { publishRevocations } from "./revoke-over-bus.ts";

type FileOptions = { readonly file: string };
type AddOptions = FileOptions & {
  readonly role: readonly string[];
  readonly name?: string;
  readonly expires?: string;
};
type ListOptions = FileOptions & { readonly json?: boolean };
type RevokeOptions = FileOptions &
  ConfigOptions & { readonly jti?: string; readonly sub?: string; readonly publish?: boolean };

/** `tickwire keys add | list | revoke`: the API keys of an access file. */
export function createKeysCommand(): Command {
  const keys = new Command("keys")
    .summary("make, list and revoke API keys")
    .description(
      "Makes, lists and revokes the API keys in the file that gateway.access.file names. Gateways " +
        "notice by themselves that it has changed.",
    );
  keys.addCommand(addCommand());
  keys.addCommand(listCommand());
  keys.addCommand(revokeCommand());
  return keys;
}

function addCommand(): Command {
  return new Command("add")
    .summary("make a key and print it, once")
    .description("Makes a key, stores its hash, and prints the key, which nobody can print again.")
    .requiredOption("--file <file>", "the access file; made if it is not there")
    .requiredOption("--role <role>", "what the key may; repeatable; `all` is everything", collect)
    .option("--name <text>", "whose it is, for people")
    .option("--expires <time>", "such as 90d, 12h, or 2027-01-31T00:00:00Z")
    .addHelpText(
      "after",
      `
Examples:
  tickwire keys add --file access.json --role all --name "desk 3"
  tickwire keys add --file access.json --role delayed --expires 90d > key.txt`,
    )
    .action((options: AddOptions) => addKey(options));
}

function addKey({ file, role, name, expires }: AddOptions): void {
  const nowMs = new SystemClock().nowUs() / 1_000;
  const content = readFileIfThere(file) ?? "{}";
  checkFile(file, content);
  const { id, secret } = newKeyParts();
  const key = formatApiKey(id, secret);
  const entry = {
    id,
    hash: hashOfKey(key),
    ...(name === undefined ? {} : { name }),
    roles: role,
    createdTime: isoTime(nowMs),
    ...(expires === undefined ? {} : { expiresTime: timeOf(expires, nowMs) }),
  };
  edit(file, content, "keys", entry);
  printLine(key);
  remark(`the key ${id} is in ${file}; it is shown this once, and only its hash is stored\n`);
}

function listCommand(): Command {
  return new Command("list")
    .summary("list the keys")
    .requiredOption("--file <file>", "the access file")
    .option("--json", "one JSON object a line, without hashes")
    .action(({ file, json }: ListOptions) => {
      const { keys } = checkFile(file, readFileIfThere(file) ?? "{}");
      for (const { hash: _hash, ...key } of keys) {
        if (json === true) printLines(JSON.stringify(key));
        else printLine(describeKey(key));
      }
    });
}

function describeKey({
  id,
  name,
  roles,
  expiresTime,
  revokedTime,
}: Omit<AccessFile["keys"][number], "hash">): string {
  const state =
    revokedTime === undefined
      ? expiresTime === undefined
        ? "no end"
        : `until ${expiresTime}`
      : `revoked ${revokedTime}`;
  return [id, roles.join(","), state, name ?? ""].join("  ").trimEnd();
}

function revokeCommand(): Command {
  const command = new Command("revoke")
    .summary("revoke a key, or tokens")
    .description(
      "Revokes a key by its id, or tokens by their jti or their sub. Sessions that use them close.",
    )
    .argument("[id]", "of the key")
    .requiredOption("--file <file>", "the access file")
    .option("--jti <id>", "one token instead of a key")
    .option("--sub <subject>", "all tokens of a subject that were issued until now")
    .option("--publish", "tell the gateways on the bus too, whose files are others");
  return addConfigOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  tickwire keys revoke 4f0q2c8d1e7z --file access.json
  tickwire keys revoke --sub desk-3 --file access.json --publish --set bus.nats.servers=nats://10.0.0.1:4222`,
    )
    .action((id: string | undefined, options: RevokeOptions) => revoke(id, options));
}

async function revoke(id: string | undefined, options: RevokeOptions): Promise<void> {
  const { file, jti, sub, publish } = options;
  const given = [id, jti, sub].filter((what) => what !== undefined);
  if (given.length !== 1) throw new UsageError("name one of: the id of a key, --jti, --sub");
  const nowMs = new SystemClock().nowUs() / 1_000;
  const text = readFileIfThere(file);
  if (text === undefined) throw new CommandError(`there is no file ${file}`);
  const content = checkFile(file, text);
  if (id !== undefined) {
    const index = content.keys.findIndex((key) => key.id === id);
    if (index < 0) throw new CommandError(`${file} has no key ${quotedText(id)}`);
    const revokedTime = content.keys[index]?.revokedTime ?? isoTime(nowMs);
    edit(file, text, "keys", { revokedTime }, index);
  } else if (jti !== undefined) {
    edit(file, text, "revoked", { jti });
  } else {
    edit(file, text, "revoked", { sub, issuedBefore: isoTime(nowMs) });
  }
  if (publish === true) {
    await publishRevocations(options, [
      sub === undefined
        ? { kind: id === undefined ? "jti" : "key", id: id ?? jti ?? "" }
        : { kind: "sub", id: sub, issuedBeforeMs: Math.floor(nowMs) },
    ]);
  }
  remark(`revoked ${quotedText(given[0] ?? "")}\n`);
}

/** Adds an entry to a list of the file, or changes one, and leaves the rest as it was written. */
function edit(
  file: string,
  text: string,
  list: "keys" | "revoked",
  entry: object,
  index?: number,
): void {
  const whole = JSON.parse(text) as Record<string, object[] | undefined>;
  const entries = [...(whole[list] ?? [])];
  if (index === undefined) entries.push(entry);
  else entries[index] = { ...entries[index], ...entry };
  const edited = `${JSON.stringify({ ...whole, [list]: entries }, undefined, 2)}\n`;
  checkFile(file, edited);
  replaceFile(file, edited);
}

function checkFile(file: string, text: string): AccessFile {
  const parsed = parseAccessFile(text);
  if (parsed.kind === "broken") throw new CommandError(`${file} cannot be used: ${parsed.reason}`);
  return parsed.file;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
};

/** A span such as `90d` from now, or a time as it is written. */
function timeOf(text: string, nowMs: number): string {
  const [, count, unit = ""] = /^(\d{1,6})([dhms])$/.exec(text) ?? [];
  if (count !== undefined) return isoTime(nowMs + Number(count) * (UNITS_MS[unit] ?? 0));
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs))
    throw new UsageError(`${quotedText(text)} is no time; write 90d or a date`);
  return isoTime(atMs);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
