import { Command } from "commander";
import { quotedText } from "#core/visible-text.ts";
import { ROLE_ALL } from "#gateway/access/access-file.ts";
import type { AccessFile } from "#gateway/access/access-file.ts";
import { hasExpired } from "#gateway/access/access-list.ts";
import { formatApiKey, hashOfKey, isApiKey, keyIdOf } from "#gateway/access/api-keys.ts";
import { REVOKED_ID_LENGTH_MAX } from "#gateway/access/revocations.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { printLine, printLines, remark } from "../output/terminal.ts";
import { addConfigOptions, collect } from "../process/config-options.ts";
import type { ConfigOptions } from "../process/config-options.ts";
import { CommandError, UsageError } from "../process/errors.ts";
import { editAccess, readAccessText } from "../process/access-file-edit.ts";
import { newKeyParts, readFileIfThere } from "../process/secret-files.ts";
import { parseEndMs } from "../process/time-span.ts";
import { publishRevocations } from "./revoke-over-bus.ts";

type FileOptions = { readonly file: string };
type AddOptions = FileOptions & {
  readonly role: readonly string[];
  readonly name?: string;
  readonly expires?: string;
  readonly json?: boolean;
};
type ListOptions = FileOptions & { readonly json?: boolean };
type RevokeOptions = FileOptions &
  ConfigOptions & {
    readonly jti?: string;
    readonly sub?: string;
    readonly publish?: boolean;
    readonly json?: boolean;
  };

/** As the access file takes them. */
const NAME_LENGTH_MAX = 200;

/** `tickwire keys add | list | revoke`: the API keys of an access file. */
export function createKeysCommand(): Command {
  const keys = new Command("keys").description(
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
    .option("--json", "print the key and what is stored of it as one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  tickwire keys add --file access.json --role all --name "desk 3"
  tickwire keys add --file access.json --role delayed --expires 90d > key.txt`,
    )
    .action((options: AddOptions) => addKey(options));
}

function addKey({ file, role, name, expires, json }: AddOptions): void {
  const nowMs = new SystemClock().nowUs() / 1_000;
  const before = readFileIfThere(file);
  checkRoles(file, readAccessText(file, before), role);
  if (name === "" || (name?.length ?? 0) > NAME_LENGTH_MAX) {
    throw new UsageError(`--name takes 1 to ${NAME_LENGTH_MAX} characters`);
  }
  const { id, secret } = newKeyParts();
  const key = formatApiKey(id, secret);
  const entry = {
    id,
    hash: hashOfKey(key),
    ...(name === undefined ? {} : { name }),
    roles: role,
    createdTime: isoTime(nowMs),
    ...(expires === undefined ? {} : { expiresTime: isoTime(parseEndMs(expires, nowMs)) }),
  };
  editAccess(file, before, "keys", (keys) => [...keys, entry]);
  const { hash: _hash, ...stored } = entry;
  printLine(json === true ? JSON.stringify({ key, ...stored }) : key);
  remark(`the key ${id} is in ${file}; it is shown this once, and only its hash is stored\n`);
}

function listCommand(): Command {
  return new Command("list")
    .summary("list the keys")
    .requiredOption("--file <file>", "the access file")
    .option("--json", "one JSON object a line, without hashes")
    .action(({ file, json }: ListOptions) => {
      const text = readFileIfThere(file);
      if (text === undefined) throw new CommandError(`there is no file ${file}`);
      const nowMs = new SystemClock().nowUs() / 1_000;
      const { keys } = readAccessText(file, text);
      for (const key of keys) {
        const { hash: _hash, ...shown } = key;
        if (json === true) printLines(JSON.stringify(shown));
        else printLine(describeKey(key, nowMs));
      }
    });
}

type StoredKey = AccessFile["keys"][number];

function describeKey(key: StoredKey, nowMs: number): string {
  const { id, roles, name = "" } = key;
  return [id, roles.join(","), stateOf(key, nowMs), name].join("  ").trimEnd();
}

function stateOf(key: StoredKey, nowMs: number): string {
  const { expiresTime, revokedTime } = key;
  if (revokedTime !== undefined) return `revoked ${revokedTime}`;
  if (expiresTime === undefined) return "no end";
  return `${hasExpired(key, nowMs) ? "expired" : "until"} ${expiresTime}`;
}

/** A role that the file does not define would make the whole file one that cannot be used. */
function checkRoles(file: string, { roles }: AccessFile, wanted: readonly string[]): void {
  const known = [ROLE_ALL, ...Object.keys(roles)];
  const unknown = wanted.find((role) => !known.includes(role));
  if (unknown === undefined) return;
  const reason = `${file} has ${known.map(quotedText).join(", ")}`;
  throw new CommandError(`there is no role ${quotedText(unknown)}; ${reason}`);
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
    .option("--publish", "tell the gateways on the bus too, whose files are others")
    .option("--json", "say what was revoked as one JSON object");
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

async function revoke(text: string | undefined, options: RevokeOptions): Promise<void> {
  const { file, publish, json } = options;
  const revoked = revokedBy(text, options);
  const nowMs = Math.floor(new SystemClock().nowUs() / 1_000);
  const before = readFileIfThere(file);
  if (before === undefined) throw new CommandError(`there is no file ${file}`);
  const isNew = revokeIn(file, before, revoked, nowMs);
  remark(`${isNew ? "revoked" : "was revoked already:"} ${quotedText(revoked.id)}\n`);
  const { kind, id } = revoked;
  if (publish === true) {
    await publishRevocations(options, [
      kind === "sub" ? { kind, id, issuedBeforeMs: nowMs } : { kind, id },
    ]);
  }
  if (json === true) {
    printLine(JSON.stringify({ kind, id, isNew, isPublished: publish === true }));
  }
}

type Revoked = { readonly kind: "key" | "jti" | "sub"; readonly id: string };

/** What the command names. A whole key stands for its id, so that nobody has to cut it out. */
function revokedBy(text: string | undefined, { jti, sub }: RevokeOptions): Revoked {
  const given = [text, jti, sub].filter((what) => what !== undefined);
  if (given.length !== 1) throw new UsageError("name one of: the id of a key, --jti, --sub");
  if (text !== undefined) return { kind: "key", id: keyIdIn(text) };
  const [id = ""] = given;
  const kind = jti === undefined ? "sub" : "jti";
  if (id === "" || id.length > REVOKED_ID_LENGTH_MAX) {
    throw new UsageError(`--${kind} takes 1 to ${REVOKED_ID_LENGTH_MAX} characters`);
  }
  return { kind, id };
}

function keyIdIn(text: string): string {
  if (!isApiKey(text)) return text;
  const id = keyIdOf(text);
  // What is almost a key is almost a secret, so it is not repeated.
  if (id === undefined) throw new UsageError("this is no whole key; its id follows on twk_");
  return id;
}

/** Writes it into the file. False if it stands there already. */
function revokeIn(file: string, before: string, { kind, id }: Revoked, nowMs: number): boolean {
  const { keys, revoked } = readAccessText(file, before);
  if (kind === "key") {
    const index = keys.findIndex((key) => key.id === id);
    if (index < 0) {
      const reason = "`tickwire keys list` shows those that it has";
      throw new CommandError(`${file} has no key ${quotedText(id)}; ${reason}`);
    }
    if (keys[index]?.revokedTime !== undefined) return false;
    editAccess(file, before, "keys", (list) =>
      list.with(index, { ...list[index], revokedTime: isoTime(nowMs) }),
    );
    return true;
  }
  if (kind === "jti") {
    if (revoked.some((entry) => "jti" in entry && entry.jti === id)) return false;
    editAccess(file, before, "revoked", (list) => [...list, { jti: id }]);
    return true;
  }
  // The latest time says all that those before it said.
  editAccess(file, before, "revoked", (list) => [
    ...list.filter((entry) => !(entry["sub"] === id)),
    { sub: id, issuedBefore: isoTime(nowMs) },
  ]);
  return true;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
