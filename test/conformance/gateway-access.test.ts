// Who may use a gateway, tried as somebody would who may not: over real sockets, with files as an
// operator has them, on both transports, and on both buses where gateways tell each other.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tickwire } from "@tickwire/proto/protobufjs";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Bus } from "#bus/bus.ts";
import { connectNatsBus } from "#bus/nats-bus.ts";
import { formatApiKey, hashOfKey } from "#gateway/access/api-keys.ts";
import { HttpStand } from "#test/support/http-stand.ts";
import { requireNatsServer, startNatsServer } from "#test/support/nats-server.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { signingKey, signToken } from "#test/support/tokens.ts";
import type { SigningKey } from "#test/support/tokens.ts";
import { Rig } from "./gateway-harness.ts";

const { ClientFrame, ServerFrame } = tickwire.v1;

let folder: string;
let pair: SigningKey;
let rigs: Rig[];
let sockets: WebSocket[];

beforeAll(async () => {
  pair = await signingKey("ES256");
});

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "tickwire-access-"));
  rigs = [];
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.terminate();
  for (const rig of rigs) await rig.stop();
  rmSync(folder, { recursive: true });
});

const file = (name: string): string => path.join(folder, name);
const newKey = (id: string) => formatApiKey(id, randomBytes(32));
const [KEY, TRADES_KEY] = [newKey("aaaaaaaaaaaa"), newKey("bbbbbbbbbbbb")];
const stored = (key: string, roles: string[], more: object = {}) => ({
  id: key.slice(4, 16),
  hash: hashOfKey(key),
  roles,
  ...more,
});

const ROLES = { trades: { grants: [{ topics: ["*:*/trades"] }], calls: ["Get*"] } };
const KEYS = [stored(KEY, ["all"]), stored(TRADES_KEY, ["trades"])];

function writeAccess(content: object, name = "access.json"): void {
  writeFileSync(file(name), JSON.stringify({ roles: ROLES, keys: KEYS, ...content }));
}

async function start(
  transport: "uws" | "node",
  { buses, access = {} }: { buses?: { gateway: Bus; ingestor: Bus }; access?: object } = {},
): Promise<Rig> {
  const keys = { keys: [pair.publicJwk] };
  writeFileSync(file("keys.json"), JSON.stringify(keys));
  const tokens = { keySetFile: file("keys.json"), issuer: "me" };
  const config = { access: { file: file("access.json"), tokens, ...access } };
  const rig = await Rig.start(transport, { config, ...(buses === undefined ? {} : { buses }) });
  rigs.push(rig);
  return rig;
}

/** A client without any of our code, and what it got to hear. */
class Client {
  readonly socket: WebSocket;
  readonly messages: tickwire.v1.ServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;
  #wake: () => void = () => undefined;

  constructor(port: number, subprotocols: string[], headers: Record<string, string>) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/v1/ws`, subprotocols, { headers });
    sockets.push(this.socket);
    this.socket.on("message", (data: Buffer) => {
      this.messages.push(...(ServerFrame.decode(data).messages as tickwire.v1.ServerMessage[]));
      this.#wake();
    });
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
  }

  say(...messages: tickwire.v1.IClientMessage[]): void {
    this.socket.send(ClientFrame.encode({ messages }).finish());
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((wake) => (this.#wake = wake));
  }

  heard(kind: string): boolean {
    return this.messages.some(({ message }) => message === kind);
  }
}

type Shown = {
  readonly headers?: Record<string, string>;
  readonly subprotocols?: string[];
  readonly accessToken?: string;
};

/** Connects, says Hello, and resolves when the gateway has welcomed the client or closed. */
async function join(rig: Rig, shown: Shown = {}): Promise<Client> {
  const subprotocols = ["tickwire.v1", ...(shown.subprotocols ?? [])];
  const client = new Client(rig.gateway.port, subprotocols, shown.headers ?? {});
  await once(client.socket, "open");
  client.say({ hello: { protocolVersion: 1, accessToken: shown.accessToken ?? "" } });
  await client.until(() => client.closed !== undefined || client.heard("welcome"));
  return client;
}

const outcome = ({ closed, messages }: Client): unknown =>
  closed?.code ?? messages.find(({ access }) => access)?.access?.principal ?? "welcome";

function token(rig: Rig, more: object = {}, by: SigningKey = pair): Promise<string> {
  const nowSeconds = rig.clock.nowUs() / 1e6;
  const times = { iat: nowSeconds, exp: nowSeconds + 3_600 };
  const claims = { iss: "me", aud: "tickwire", sub: "desk", jti: "j1", roles: ["all"], ...times };
  return signToken(by, { ...claims, ...more });
}

const json = (value: object): string => JSON.stringify(value);

/** Everything that the gateway logged, and all that it said to anybody. */
const written = (rig: Rig): string => JSON.stringify(rig.logs);

const INSTRUMENT = '{"venue":"fake","symbol":"BTC-USDT"}';

async function call(rig: Rig, method: string, headers: Record<string, string> = {}, query = "") {
  const response = await fetch(`${rig.url}/tickwire.v1.MarketData/${method}${query}`, {
    method: query === "" ? "POST" : "GET",
    headers: { "content-type": "application/json", ...headers },
    ...(query === "" ? { body: method === "GetCandles" ? INSTRUMENT : "{}" } : {}),
  });
  return { response, text: await response.text() };
}

describe.each(TRANSPORTS)("over %s", (transport) => {
  test("a key is taken by every carrier, and no carrier gives it back", async () => {
    writeAccess({});
    const rig = await start(transport);
    const shows: Shown[] = [
      { headers: { authorization: `Bearer ${KEY}` } },
      { headers: { authorization: `bearer ${KEY}` } },
      { headers: { "x-api-key": KEY } },
      { subprotocols: [`tickwire.auth.${KEY}`] },
      { accessToken: KEY },
      // What Hello shows counts more.
      { accessToken: KEY, headers: { "x-api-key": "twk_wrong" } },
    ];
    for (const shown of shows) {
      const client = await join(rig, shown);
      expect(outcome(client)).toBe("key:aaaaaaaaaaaa");
      expect(client.socket.protocol).toBe("tickwire.v1");
    }
    expect(written(rig)).not.toContain(KEY.slice(17, 40));
  });

  test("what is no proof is told by a close code, which a browser sees", async () => {
    writeAccess({});
    const rig = await start(transport);
    const expired = await token(rig, { exp: rig.clock.nowUs() / 1e6 - 31 });
    const attempts: [Shown, number][] = [
      [{}, 4504],
      [{ accessToken: "x" }, 4504],
      [{ accessToken: newKey("aaaaaaaaaaaa") }, 4504],
      [{ accessToken: newKey("cccccccccccc") }, 4504],
      [{ accessToken: await token(rig, { aud: "other" }) }, 4504],
      [{ accessToken: await token(rig, { iss: "other" }) }, 4504],
      [{ accessToken: "x".repeat(20_000) }, 4504],
      [{ accessToken: expired }, 4010],
      [{ headers: { authorization: "Basic eDp5" } }, 4504],
    ];
    for (const [shown, code] of attempts) {
      const client = await join(rig, shown);
      expect(outcome(client)).toBe(code);
      expect(client.messages).toEqual([]);
      expect(client.closed?.reason).not.toContain(shown.accessToken?.slice(0, 12) ?? "-");
    }
  });

  test("a foreign subprotocol is not quoted with the secret beside it", async () => {
    writeAccess({});
    const rig = await start(transport);
    const offered = ["other.v1", `tickwire.auth.${KEY}`];
    const socket = new WebSocket(`ws://127.0.0.1:${rig.gateway.port}/v1/ws`, offered);
    socket.on("error", () => undefined);
    sockets.push(socket);
    const [, response] = (await once(socket, "unexpected-response")) as [
      unknown,
      AsyncIterable<Buffer>,
    ];
    let body = "";
    for await (const chunk of response) body += String(chunk);
    expect(body).toContain("other.v1");
    expect(body).not.toContain(KEY.slice(17, 40));
  });

  test("over HTTP a key is taken by header or query, and its rights hold", async () => {
    writeAccess({});
    const rig = await start(transport);
    const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
    const anonymous = await call(rig, "GetServerTime");
    expect([anonymous.response.status, JSON.parse(anonymous.text)]).toMatchObject([
      401,
      { code: "unauthenticated" },
    ]);
    const wrong = await call(rig, "GetServerTime", bearer(newKey("aaaaaaaaaaaa")));
    expect(wrong.response.status).toBe(401);
    expect(wrong.response.headers.get("www-authenticate")).toBe("Bearer");
    expect((await call(rig, "GetServerTime", bearer(KEY))).response.status).toBe(200);
    const query = `?encoding=json&message=%7B%7D&access_token=${KEY}`;
    const asked = await call(rig, "GetServerTime", {}, query);
    expect(asked.response.status).toBe(200);
    // The role of the other key has no lists, and no books.
    expect((await call(rig, "ListInstruments", bearer(TRADES_KEY))).response.status).toBe(403);
    expect((await call(rig, "GetCandles", bearer(TRADES_KEY))).response.status).toBe(403);
    expect((await fetch(rig.url)).status).toBe(200);
    expect(written(rig)).not.toContain(KEY.slice(17, 40));
  });

  test("topics are given by right, also by the venue's own symbol", async () => {
    writeAccess({});
    const rig = await start(transport);
    const client = await join(rig, { accessToken: TRADES_KEY });
    const topics = [
      "fake:BTC-USDT/trades",
      "fake:BTC-USDT/book",
      "fake:ETH-USDT/*",
      "fake:NO/book",
    ];
    client.say({ subscribe: { requestId: 1, topics: topics.map((topic) => ({ topic })) } });
    const results = () =>
      client.messages.flatMap(({ subscribeResult }) => subscribeResult?.topics ?? []);
    await client.until(() => results().length >= 4);
    expect(
      results()
        .map(({ topic, error }) => `${topic} ${error}`)
        .toSorted(),
    ).toEqual([
      "fake:BTC-USDT/book 5",
      "fake:BTC-USDT/trades 0",
      "fake:ETH-USDT/trades 0",
      "fake:NO/book 5",
    ]);
  });

  test("a key that is taken out of the file ends its sessions, and no others", async () => {
    writeAccess({});
    const rig = await start(transport);
    const [ending, staying] = [
      await join(rig, { accessToken: KEY }),
      await join(rig, { accessToken: TRADES_KEY }),
    ];
    writeAccess({ keys: [stored(TRADES_KEY, ["trades"])] });
    await rig.gateway.reload();
    await ending.until(() => ending.closed !== undefined);
    expect(ending.closed?.code).toBe(4510);
    expect(staying.closed).toBeUndefined();
    expect(outcome(await join(rig, { accessToken: KEY }))).toBe(4510);
    // Nobody who only knows its id hears that there was such a key.
    expect(outcome(await join(rig, { accessToken: newKey("aaaaaaaaaaaa") }))).toBe(4504);
    const refused = await call(rig, "GetServerTime", { "x-api-key": KEY });
    expect(refused.response.status).toBe(401);
  });

  test("a file that is broken changes nothing, and is said to be", async () => {
    writeAccess({});
    const rig = await start(transport);
    const client = await join(rig, { accessToken: KEY });
    for (const broken of ["", "{", '{"keys":[{"id":"x"}]}', "[]", "{}}"]) {
      writeFileSync(file("access.json"), broken);
      await rig.gateway.reload();
    }
    expect(client.closed).toBeUndefined();
    expect(outcome(await join(rig, { accessToken: KEY }))).toBe("key:aaaaaaaaaaaa");
    const errors = rig.logs.filter(({ message }) => message.includes("access file cannot be used"));
    expect(errors).toHaveLength(5);
    rig.logs.length = 0;
  });

  test("a token is renewed on the open socket, and not with one that was used before", async () => {
    writeAccess({});
    const rig = await start(transport);
    const first = await token(rig, { exp: rig.clock.nowUs() / 1e6 + 100 });
    const client = await join(rig, { accessToken: first });
    const answers = () => client.messages.flatMap(({ access }) => access ?? []);
    const renew = async (requestId: number, accessToken: string) => {
      client.say({ authenticate: { requestId, accessToken } });
      const find = () => answers().find((answer) => answer.requestId === requestId);
      await client.until(() => find() !== undefined);
      return find()?.error;
    };
    const [ok, invalid, stale, other] = [0, 1, 4, 5];
    expect(await renew(1, first)).toBe(stale);
    expect(await renew(2, "rubbish")).toBe(invalid);
    expect(await renew(3, await token(rig, { sub: "x", jti: "j3" }))).toBe(other);
    const second = await token(rig, { jti: "j2" });
    expect(await renew(4, second)).toBe(ok);
    expect(await renew(5, first)).toBe(stale);
    expect(await renew(6, second)).toBe(stale);
    rig.clock.advance(120_000);
    await rig.settle();
    expect(client.closed).toBeUndefined();
    rig.clock.advance(3_600_000);
    await client.until(() => client.closed !== undefined);
    expect(client.closed?.code).toBe(4010);
    expect(written(rig)).not.toContain(first.slice(-20));
  });
});

test("the keys of tokens change while the gateway runs, and an outage costs nobody anything", async () => {
  writeAccess({});
  const rig = await start("node");
  const before = await token(rig);
  expect(outcome(await join(rig, { accessToken: before }))).toBe("token:desk");
  const next = await signingKey("ES256", "k2");
  writeFileSync(file("keys.json"), "half a fi");
  await rig.gateway.reload();
  expect(outcome(await join(rig, { accessToken: await token(rig, { jti: "j2" }) }))).toBe(
    "token:desk",
  );
  writeFileSync(file("keys.json"), JSON.stringify({ keys: [next.publicJwk] }));
  await rig.gateway.reload();
  expect(outcome(await join(rig, { accessToken: await token(rig, { jti: "j3" }) }))).toBe(4504);
});

test("keys at an address are exchanged while it serves, and who is in renews or ends", async () => {
  const stand = new HttpStand();
  let set = [pair.publicJwk];
  const { port } = await stand.serve((_, response) => void response.end(json({ keys: set })));
  const keySetUrl = `http://127.0.0.1:${port}/keys?of=us`;
  const rig = await start("node", {
    access: { file: undefined, tokens: { keySetUrl, issuer: "me", refreshMs: 60_000 } },
  });
  const staying = await join(rig, { accessToken: await token(rig) });
  const leaving = await join(rig, { accessToken: await token(rig, { sub: "x", jti: "j2" }) });
  const next = await signingKey("ES256", "k2");
  set = [next.publicJwk];
  const isTold = ({ messages }: Client) => messages.some(({ access }) => access?.isExpiring);
  rig.clock.advance(60_000);
  while (!isTold(staying) || !isTold(leaving)) {
    rig.clock.advance(0);
    await rig.settle();
  }
  const accessToken = await token(rig, { jti: "j3" }, next);
  staying.say({ authenticate: { requestId: 1, accessToken } });
  await staying.until(() => staying.messages.some(({ access }) => access?.requestId === 1));
  rig.clock.advance(10_000);
  await leaving.until(() => leaving.closed !== undefined);
  expect([leaving.closed?.code, staying.closed]).toEqual([4010, undefined]);
  // The token was right before, and is not any more.
  expect(outcome(await join(rig, { accessToken: await token(rig) }))).toBe(4504);
  await stand.stop();
});

test("a gateway beyond loopback listens only for those who prove who they are, or for all if that is said", async () => {
  writeAccess({});
  const open = Rig.start("node", { config: { host: "0.0.0.0" } });
  await expect(open).rejects.toThrow("gateway.access.file");
  const rig = await start("node");
  expect(outcome(await join(rig))).toBe(4504);
  const both = await Rig.start("node", {
    config: { host: "0.0.0.0", allowAnonymous: true, access: { file: file("access.json") } },
  });
  rigs.push(both);
  expect(outcome(await join(both))).toBe("welcome");
});

test("a gateway does not start with a file that it cannot use", async () => {
  writeFileSync(file("access.json"), "{");
  await expect(start("node")).rejects.toMatchObject({ code: "access-unusable" });
});

const BUSES = requireNatsServer() === undefined ? ["memory"] : ["memory", "nats"];

describe.each(BUSES)("two gateways on a bus of %s", (kind) => {
  test("each hear of what the other learns, and one that starts later does too", async () => {
    const server = kind === "nats" ? await startNatsServer() : undefined;
    const open: Bus[] = [];
    const buses = async (first?: Rig) => {
      if (server === undefined) return first && { gateway: first.bus, ingestor: first.bus };
      const [gateway, ingestor] = [
        await connectNatsBus({ servers: [server.url], name: "gateway" }),
        await connectNatsBus({ servers: [server.url], name: "ingestor" }),
      ];
      open.push(ingestor);
      return { gateway, ingestor };
    };
    const startOne = async (name: string, first?: Rig) => {
      writeAccess({}, name);
      const given = await buses(first);
      const access = { file: file(name) };
      return start("node", given === undefined ? { access } : { buses: given, access });
    };
    const one = await startOne("one.json");
    const two = await startOne("two.json", one);
    const client = await join(two, { accessToken: KEY });
    const bearer = await join(two, { accessToken: await token(two, { sub: "leaver" }) });
    expect([outcome(client), outcome(bearer)]).toEqual(["key:aaaaaaaaaaaa", "token:leaver"]);

    // The second gateway's file still has the key.
    const issuedBefore = new Date(two.clock.nowUs() / 1_000).toISOString();
    const revoked = [{ sub: "leaver", issuedBefore }];
    writeAccess({ keys: [stored(TRADES_KEY, ["trades"])], revoked }, "one.json");
    await one.gateway.reload();
    await client.until(() => client.closed !== undefined);
    await bearer.until(() => bearer.closed !== undefined);
    expect([client.closed?.code, bearer.closed?.code]).toEqual([4510, 4510]);

    const three = await startOne("three.json", one);
    for (let round = 0; round < 50; round += 1) {
      one.clock.advance(50);
      two.clock.advance(50);
      await three.settle();
      if (server !== undefined) await sleep(5);
      if ((await three.metric("tickwire_gateway_revocations")) > 0) break;
    }
    // Its own file has the key, so that it knows that it was one.
    expect(outcome(await join(three, { accessToken: KEY }))).toBe(4510);
    expect(outcome(await join(three, { accessToken: TRADES_KEY }))).toBe("key:bbbbbbbbbbbb");

    for (const rig of rigs.splice(0)) await rig.stop();
    for (const bus of open) await bus.close();
    await server?.stop();
  });
});
