import { rmSync } from "node:fs";
import { Command, Option } from "commander";
import { exportJWK, generateKeyPair, generateSecret, importJWK, SignJWT } from "jose";
import type { JWK } from "jose";
import { accessConfigSchema } from "#gateway/access/access-config.ts";
import { readKeySet, TOKEN_ALGORITHMS } from "#gateway/access/token-keys.ts";
import type { TokenAlgorithm } from "#gateway/access/token-keys.ts";
import { readTokenHead, TokenFault, verifyToken } from "#gateway/access/token-check.ts";
import { SystemClock } from "#runtime/system-clock.ts";
import { printJson, printLine, remark } from "../output/terminal.ts";
import { collect } from "../process/config-options.ts";
import { CommandError, UsageError } from "../process/errors.ts";
import { readInput } from "../process/read-input.ts";
import { newKeyParts, readFileIfThere, replaceFile } from "../process/secret-files.ts";
import { parseSpanMs } from "../process/time-span.ts";

/** A gateway takes no longer one. */
const SUBJECT_LENGTH_MAX = 200;

type NewKeyOptions = {
  readonly algorithm: TokenAlgorithm;
  readonly privateFile: string;
  readonly keySet: string;
  readonly json?: boolean;
};
type MakeOptions = {
  readonly key: string;
  readonly sub: string;
  readonly role?: readonly string[];
  readonly audience: string;
  readonly issuer?: string;
  readonly expires: string;
  readonly claims?: string;
  readonly json?: boolean;
};

type InspectOptions = { readonly keySet?: string; readonly json?: boolean };

/** `tickwire token new-key | make | inspect`: signed tokens and the keys that they need. */
export function createTokenCommand(): Command {
  const token = new Command("token").description(
    "Makes keys for tokens, tokens, and shows what is in one. No secret is taken as an argument.",
  );
  token.addCommand(newKeyCommand());
  token.addCommand(makeCommand());
  token.addCommand(inspectCommand());
  return token;
}

function newKeyCommand(): Command {
  return new Command("new-key")
    .summary("make a key that signs tokens")
    .description(
      "Makes a key: its private part in a file of its own, its public part added to the key set " +
        "that gateway.access.tokens.keySetFile names. Old keys stay in the set until you take " +
        "them out. A key for HS256 is a secret in both files.",
    )
    .addOption(
      new Option("--algorithm <name>", "what it signs with")
        .choices(TOKEN_ALGORITHMS)
        .default("ES256"),
    )
    .requiredOption("--private-file <file>", "for whoever signs; must not be there yet")
    .requiredOption("--key-set <file>", "for gateways; made if it is not there")
    .option("--json", "say what was made as one JSON object, without secrets")
    .action((options: NewKeyOptions) => newKey(options));
}

async function newKey({ algorithm, privateFile, keySet, json }: NewKeyOptions): Promise<void> {
  if (readFileIfThere(privateFile) !== undefined) {
    throw new CommandError(`${privateFile} is there already, and a key is not to be lost`);
  }
  const before = readFileIfThere(keySet);
  const set = before === undefined ? {} : (parseObject(keySet, before) as { keys?: JWK[] });
  if (set.keys !== undefined && !Array.isArray(set.keys)) {
    throw new CommandError(`${keySet} cannot be used: its keys are no list`);
  }
  const kid = newKeyParts().id;
  const { privateJwk, publicJwk } = await createKey(algorithm);
  const added = { ...set, keys: [...(set.keys ?? []), { ...publicJwk, kid, alg: algorithm }] };
  const text = `${JSON.stringify(added, undefined, 2)}\n`;
  const read = await readKeySet(text, "file");
  if (read.kind === "broken") throw new CommandError(`${keySet} cannot be used: ${read.reason}`);
  const own = `${JSON.stringify({ ...privateJwk, kid, alg: algorithm })}\n`;
  replaceFile(privateFile, { before: undefined, text: own });
  try {
    // One secret makes a secret of the whole set, whichever key came last.
    const isSecret = added.keys.some(({ kty }) => kty === "oct");
    replaceFile(keySet, { before, text, mode: 0o644, isSecret });
  } catch (error) {
    rmSync(privateFile);
    throw error;
  }
  if (json === true) printLine(JSON.stringify({ kid, algorithm, privateFile, keySet }));
  remark(`the key ${kid} signs with ${privateFile}, and gateways know it by ${keySet}\n`);
}

async function createKey(algorithm: TokenAlgorithm): Promise<{ privateJwk: JWK; publicJwk: JWK }> {
  if (algorithm === "HS256") {
    const jwk = await exportJWK(await generateSecret("HS256", { extractable: true }));
    return { privateJwk: jwk, publicJwk: jwk };
  }
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return { privateJwk: await exportJWK(privateKey), publicJwk: await exportJWK(publicKey) };
}

function makeCommand(): Command {
  return new Command("make")
    .summary("sign a token and print it")
    .requiredOption("--key <file>", "the private file of new-key")
    .requiredOption("--sub <subject>", "whose token it is")
    .option("--role <role>", "what the token may; repeatable", collect)
    .option("--audience <text>", "for which gateways it is", "tickwire")
    .option("--issuer <text>", "who made it")
    .option("--expires <span>", "such as 15m or 12h; gateways take up to lifetimeMsMax", "1h")
    .option("--claims <file>", "JSON file with more claims")
    .option("--json", "print the token and its claims as one JSON object")
    .addHelpText(
      "after",
      `
Examples:
  tickwire token new-key --private-file signer.json --key-set keys.json
  tickwire token make --key signer.json --sub desk-3 --role all --expires 12h > token.txt`,
    )
    .action((options: MakeOptions) => makeToken(options));
}

async function makeToken(options: MakeOptions): Promise<void> {
  const { key: keyFile, sub, role, audience, issuer, expires, claims, json } = options;
  if (sub === "" || sub.length > SUBJECT_LENGTH_MAX) {
    throw new UsageError(`--sub takes 1 to ${SUBJECT_LENGTH_MAX} characters`);
  }
  const lifetimeMs = parseSpanMs(expires);
  const jwk = readJson(keyFile) as JWK;
  if (jwk.alg === undefined) throw new CommandError(`${keyFile} is no key that new-key has made`);
  const more = claims === undefined ? {} : readJson(claims);
  const nowSeconds = Math.floor(new SystemClock().nowUs() / 1e6);
  const payload = {
    ...more,
    ...(role === undefined ? {} : { roles: [...role] }),
    sub,
    aud: audience,
    ...(issuer === undefined ? {} : { iss: issuer }),
    jti: newKeyParts().id,
    iat: nowSeconds,
    exp: nowSeconds + lifetimeMs / 1_000,
  };
  const header = { alg: jwk.alg, typ: "JWT", ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) };
  let signed: string;
  try {
    signed = await new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(jwk));
  } catch (error) {
    throw new CommandError(`${keyFile} cannot sign: ${(error as Error).message}`);
  }
  printLine(json === true ? JSON.stringify({ token: signed, claims: payload }) : signed);
  const { lifetimeMsMax } = accessConfigSchema.parse({}).tokens;
  if (lifetimeMs > lifetimeMsMax) {
    remark(
      `gateways take a token of ${expires} only if gateway.access.tokens.lifetimeMsMax is at least ` +
        `${lifetimeMs}; it is ${lifetimeMsMax} unless it is set\n`,
    );
  }
}

function inspectCommand(): Command {
  return new Command("inspect")
    .summary("show what is in a token")
    .description(
      "Reads a token from standard input and prints its header and its claims. With a key set it " +
        "says whose key made the signature; without, nobody has vouched for any of it.",
    )
    .option("--key-set <file>", "checks the signature with these keys")
    .option("--json", "print it on one line")
    .action(async (options: InspectOptions) => {
      const inspected = await inspectToken((await readInput(process.stdin)).trim(), options.keySet);
      if (options.json === true) printLine(JSON.stringify(inspected));
      else printJson(inspected);
    });
}

async function inspectToken(token: string, keySetFile: string | undefined): Promise<object> {
  const rules = { algorithms: TOKEN_ALGORITHMS, tokenBytesMax: 65_536 };
  const head = readTokenHead(token, rules);
  if (head instanceof TokenFault) throw new CommandError(`no token: ${head.reason}`);
  const [header = "", payload = ""] = token.split(".");
  const signature = keySetFile === undefined ? "not checked" : await verdict(token, keySetFile);
  return { header: decode(header), claims: decode(payload), signature };
}

async function verdict(token: string, keySetFile: string): Promise<string> {
  const set = await readKeySet(JSON.stringify(readJson(keySetFile)), "file");
  if (set.kind === "broken") throw new CommandError(`${keySetFile}: ${set.reason}`);
  const head = readTokenHead(token, { algorithms: TOKEN_ALGORITHMS, tokenBytesMax: 65_536 });
  if (head instanceof TokenFault) return head.reason;
  const key = set.keys.find(head.kid, head.algorithm);
  if (key === undefined) return "no key of the set made it";
  const claims = await verifyToken(token, key);
  return claims instanceof TokenFault
    ? claims.reason
    : `made by the key ${key.kid ?? "of the set"}`;
}

/** The part as it was meant, or as far as it can be read. */
function decode(part: string): unknown {
  const text = Buffer.from(part, "base64url").toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError("no token: its claims are no JSON");
  }
}

function readJson(file: string): object {
  const text = readFileIfThere(file);
  if (text === undefined) throw new CommandError(`there is no file ${file}`);
  return parseObject(file, text);
}

function parseObject(file: string, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the parser quotes may be part of a key.
    throw new CommandError(`${file} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new CommandError(`${file} has no object`);
  }
  return value;
}
