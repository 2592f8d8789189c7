import { createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from "node:crypto";

/** Kinds of NATS keys, as the first letter of the public key says: operator, account, user. */
const PREFIX = { O: 14 << 3, A: 0, U: 20 << 3 } as const;
const SEED_PREFIX = 18 << 3;
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** DER of a PKCS #8 Ed25519 key without its last 32 bytes, the seed. */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** A key pair in NATS's notation, made after https://docs.nats.io/reference/reference-protocols. */
type NatsKey = {
  readonly publicKey: string;
  readonly seed: string;
  sign(text: string): string;
};

/** A fresh key of an operator (O), account (A) or user (U). */
export function createNatsKey(kind: keyof typeof PREFIX): NatsKey {
  const raw = randomBytes(32);
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, raw]),
    format: "der",
    type: "pkcs8",
  });
  const prefix = PREFIX[kind];
  const seedHead = Buffer.from([SEED_PREFIX | (prefix >> 5), (prefix & 31) << 3]);
  return {
    publicKey: encodeKey(Buffer.concat([Buffer.from([prefix]), rawPublicKey(privateKey)])),
    seed: encodeKey(Buffer.concat([seedHead, raw])),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString("base64url"),
  };
}

/** An operator's server configuration with one account, and the .creds text of a user of it. */
export function createNatsOperator(): { readonly configuration: string; readonly creds: string } {
  const [operator, account, user] = [createNatsKey("O"), createNatsKey("A"), createNatsKey("U")];
  const all = { subs: -1, data: -1, payload: -1 };
  const limits = { ...all, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const operatorJwt = jwt(operator, operator.publicKey, { type: "operator", version: 2 });
  const accountJwt = jwt(operator, account.publicKey, { type: "account", version: 2, limits });
  const rights = { pub: {}, sub: {}, ...all };
  const userJwt = jwt(account, user.publicKey, { type: "user", version: 2, ...rights });
  return {
    configuration: [
      `operator: "${operatorJwt}"`,
      "resolver: MEMORY",
      `resolver_preload: { ${account.publicKey}: "${accountJwt}" }`,
    ].join("\n"),
    creds: [
      "-----BEGIN NATS USER JWT-----",
      userJwt,
      "------END NATS USER JWT------",
      "-----BEGIN USER NKEY SEED-----",
      user.seed,
      "------END USER NKEY SEED------",
      "",
    ].join("\n"),
  };
}

function jwt(issuer: NatsKey, subject: string, nats: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { jti: randomBytes(8).toString("hex"), iat: 1_700_000_000, iss: issuer.publicKey };
  const body = part({ typ: "JWT", alg: "ed25519-nkey" });
  const signed = `${body}.${part({ ...claims, sub: subject, name: "test", nats })}`;
  return `${signed}.${issuer.sign(signed)}`;
}

function rawPublicKey(privateKey: KeyObject): Buffer {
  const der = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  return der.subarray(der.length - 32);
}

function encodeKey(bytes: Buffer): string {
  const checksum = Buffer.alloc(2);
  checksum.writeUInt16LE(crc16(bytes));
  let [text, bits, held] = ["", 0, 0];
  for (const byte of Buffer.concat([bytes, checksum])) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + BASE32[(held << (5 - bits)) & 31];
}

/** CRC-16 of XMODEM. */
function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 0x8000) === 0 ? (crc << 1) & 0xffff : ((crc << 1) ^ 0x1021) & 0xffff;
    }
  }
  return crc;
}
