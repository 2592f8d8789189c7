import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ANYBODY, somebody } from "#test/support/principals.ts";
import { SessionRig } from "#test/support/session-rig.ts";
import type { Authentication } from "../access/authenticator.ts";
import type { Principal } from "../access/principal.ts";

const TRADES = "fake:BTC-USDT/trades";
const BOOK = "fake:BTC-USDT/book";
/** NOTICE_KIND_TOPIC_ENDED and NOTICE_KIND_ACCESS_LIMITED. */
const [TOPIC_ENDED, ACCESS_LIMITED] = [4, 7];
/** ACCESS_ERROR_STALE, OTHER_PRINCIPAL, UNAVAILABLE, EXPIRED. */
const [STALE, OTHER, UNAVAILABLE, EXPIRED] = [4, 5, 6, 2];

/** Somebody with a token that ends in so many seconds. */
function bearer(
  rig: SessionRig,
  seconds: number,
  jti = `t${seconds}`,
  subject = "desk",
): Principal {
  const expiresAtMs = rig.clock.nowUs() / 1_000 + seconds * 1_000;
  const token = { issuer: "", subject, jti, issuedAtMs: undefined, expiresAtMs };
  return somebody(["*:*/*"], {}, { kind: "token", id: `token:${subject}`, token, expiresAtMs });
}

function openAs(who: (rig: SessionRig) => Authentication): SessionRig {
  const rig = new SessionRig();
  rig.whoIs = who(rig);
  rig.hello();
  rig.endTurn();
  return rig;
}

const accessOf = (rig: SessionRig) =>
  rig.messages.flatMap(({ access }) => (access === undefined || access === null ? [] : [access]));

/** Shows a newer proof, which is found to be this. */
function renew(rig: SessionRig, requestId: number, found: Authentication): void {
  rig.whoIs = found;
  rig.says({ authenticate: { requestId, accessToken: "newer" } });
  rig.endTurn();
}

describe("at its Hello a client", () => {
  test("that proves nothing where nobody has to hears nothing of access", () => {
    const rig = openAs(() => ANYBODY);
    expect(rig.said).toEqual(["welcome"]);
  });

  test("that proves who it is hears who that is and how long it lasts", () => {
    const rig = openAs((it) => bearer(it, 600));
    expect(rig.said).toEqual(["welcome", "access"]);
    expect(accessOf(rig)[0]).toMatchObject({ principal: "token:desk", isExpiring: false });
    expect(Number(accessOf(rig)[0]?.expiresInMs)).toBe(600_000);
    expect(rig.logs.join()).toContain('"principal":"token:desk"');
  });

  test("is judged by the secret of its Hello, or else by that of the upgrade", () => {
    const rig = new SessionRig();
    rig.says({ hello: { protocolVersion: 1, accessToken: "of-hello" } });
    expect(rig.shown).toEqual(["of-hello"]);
    expect(openAs(() => ANYBODY).shown).toEqual([undefined]);
  });

  test("whose proof takes time to check waits, and so does what it asks for, in order", async () => {
    const rig = new SessionRig();
    let found: (who: Authentication) => void = () => undefined;
    rig.whoIs = new Promise((resolve) => (found = resolve));
    rig.hello();
    rig.subscribe(1, TRADES);
    rig.says({ ping: { nonce: 5 } });
    rig.endTurn();
    expect(rig.said).toEqual([]);
    found(bearer(rig, 600));
    await nextTurn();
    rig.endTurn();
    expect(new Set(rig.said.slice(2))).toEqual(new Set(["pong", "subscribeResult"]));
    expect(rig.said.slice(0, 2)).toEqual(["welcome", "access"]);
  });

  test("whose proof is checked for too long is closed, and what is found later means nothing", async () => {
    const rig = new SessionRig({ access: { authenticateTimeoutMs: 500 } });
    let found: (who: Authentication) => void = () => undefined;
    rig.whoIs = new Promise((resolve) => (found = resolve));
    rig.hello();
    rig.clock.advance(499);
    expect(rig.connection.ends).toEqual([]);
    rig.clock.advance(1);
    expect(rig.connection.ends).toEqual(["4012 the check took longer than 500 ms"]);
    found(bearer(rig, 600));
    await nextTurn();
    expect(rig.said).toEqual([]);
    expect(rig.clock.pending).toBe(0);
  });

  test("may ask for 1,000 things while it is checked, and not for more", () => {
    const rig = new SessionRig({ requestsPerSecondMax: 100_000, topicsPerSecondMax: 1_000_000 });
    rig.whoIs = new Promise(() => undefined);
    rig.hello();
    const ping = { ping: { nonce: 1 } };
    for (let frame = 0; frame < 10; frame += 1)
      rig.says(...Array.from({ length: 100 }, () => ping));
    rig.endTurn();
    expect(rig.connection.ends).toEqual([]);
    rig.says(ping);
    rig.endTurn();
    expect(rig.connection.ends).toEqual(["4004 more than 1000 requests before Welcome"]);
  });
});

describe("while it is in, a client", () => {
  test("is told before its access ends, and is closed some time after", () => {
    const rig = openAs((it) => bearer(it, 600));
    rig.clock.advance(539_999);
    rig.endTurn();
    expect(accessOf(rig)).toHaveLength(1);
    rig.clock.advance(1);
    rig.endTurn();
    expect(accessOf(rig)[1]).toMatchObject({ isExpiring: true, requestId: 0 });
    rig.clock.advance(60_000 + 9_999);
    expect(rig.connection.ends).toEqual([]);
    rig.clock.advance(1);
    expect(rig.connection.ends).toEqual(["4010 access ended and was not renewed"]);
    expect(rig.clock.pending).toBe(0);
  });

  test("that renews its access in time goes on without a break", () => {
    const rig = openAs((it) => bearer(it, 600));
    rig.subscribe(1, TRADES);
    rig.endTurn();
    renew(rig, 7, bearer(rig, 1_200));
    expect(accessOf(rig).at(-1)).toMatchObject({ requestId: 7, error: 0, isExpiring: false });
    expect(Number(accessOf(rig).at(-1)?.expiresInMs)).toBe(1_200_000);
    rig.clock.advance(700_000);
    expect(rig.connection.ends).toEqual([]);
    rig.hub.view(TRADES).publish(1);
    rig.endTurn();
    expect(rig.sequencesOf(1)).not.toEqual([]);
  });

  test.each<[string, (rig: SessionRig) => Authentication, number]>([
    ["the proof that it uses", (rig) => bearer(rig, 600), STALE],
    ["an older one", (rig) => bearer(rig, 599), STALE],
    ["the same with a later end", (rig) => bearer(rig, 900, "t600"), STALE],
    ["somebody else's", (rig) => bearer(rig, 900, "x", "other"), OTHER],
    ["a key in place of a token", () => somebody(["*:*/*"], {}, { id: "token:desk" }), OTHER],
    ["one that is over", () => ({ kind: "expired", reason: "it has expired" }), EXPIRED],
  ])("that shows %s is told so, and stays what it was", (_, found, error) => {
    const rig = openAs((it) => bearer(it, 600));
    renew(rig, 8, found(rig));
    expect(accessOf(rig).at(-1)).toMatchObject({ requestId: 8, error, principal: "token:desk" });
    expect(Number(accessOf(rig).at(-1)?.expiresInMs)).toBe(600_000);
    rig.clock.advance(610_000);
    expect(rig.connection.ends).toEqual(["4010 access ended and was not renewed"]);
  });

  test("that shows two proofs at once is told to wait with the second", async () => {
    const rig = openAs((it) => bearer(it, 600));
    const newer = bearer(rig, 1_200);
    rig.whoIs = Promise.resolve(newer);
    rig.says(
      { authenticate: { requestId: 1, accessToken: "a" } },
      { authenticate: { requestId: 2, accessToken: "b" } },
    );
    await nextTurn();
    rig.endTurn();
    const answers = accessOf(rig)
      .slice(1)
      .map(({ requestId, error }) => [requestId, error]);
    expect(answers).toEqual([
      [2, UNAVAILABLE],
      [1, 0],
    ]);
  });

  test("whose proof is revoked is closed for good, at once", () => {
    const rig = openAs((it) => bearer(it, 600));
    rig.whoIs = { kind: "revoked", reason: "the token is not valid any more" };
    rig.session.reviewAccess();
    expect(rig.connection.ends).toEqual(["4510 the token is not valid any more"]);
    expect(rig.clock.pending).toBe(0);
  });

  test("loses the topics that it may not have any more, and no others", () => {
    const rig = openAs(() => somebody(["*:*/*"]));
    rig.subscribe(1, TRADES, BOOK, "fake:ETH-USDT/trades");
    rig.endTurn();
    expect(rig.hub.holds).toBe(3);
    rig.whoIs = somebody(["*:*/trades"]);
    rig.session.reviewAccess();
    rig.endTurn();
    rig.endTurn();
    expect(rig.hub.holds).toBe(2);
    const ended = rig.messages.flatMap(({ notice }) =>
      notice?.kind === TOPIC_ENDED ? [notice] : [],
    );
    expect(ended.map(({ message }) => message)).toEqual(["you may not have this topic any more"]);
    expect(rig.state).toBe("open");
  });

  test("loses what it may have only in a lesser way from now on", () => {
    const rig = openAs(() => somebody(["*:*/*"]));
    rig.subscribe(1, TRADES, BOOK);
    rig.endTurn();
    rig.whoIs = somebody([{ topics: ["*:*/book"], depthMax: 10 }, "*:*/*"]);
    rig.session.reviewAccess();
    rig.endTurn();
    rig.endTurn();
    expect(rig.hub.holds).toBe(1);
  });
});

test("connections of one principal are as many as it may have, and one that goes makes room", () => {
  const rig = new SessionRig();
  rig.whoIs = somebody(["*:*/*"], { limits: { connectionsMax: 2 } });
  rig.takeAllSeats();
  rig.hello();
  expect(rig.connection.ends).toEqual(["4011 key:test has as many connections as it may have"]);
});

test("requests of one principal are as many as it may make", () => {
  const rig = openAs(() => somebody(["*:*/*"], { limits: { requestsPerSecondMax: 3 } }));
  const ping = { ping: { nonce: 1 } };
  rig.says(ping, ping, ping, ping);
  rig.endTurn();
  const refused = () => rig.messages.flatMap(({ requestRefused }) => requestRefused ?? []);
  expect(refused()).toMatchObject([
    {
      kind: 4,
      code: 8,
      retryAfterMs: 1_000,
      message: "more than the requestsPerSecondMax 3 of key:test a second",
    },
  ]);
  expect(rig.connection.ends).toEqual([]);
  // What the gateway itself has asked for is no request of the principal.
  rig.says({ probeAnswer: { number: 1 } });
  for (let goesOn = 0; goesOn < 5_001 && rig.state === "open"; goesOn += 1) rig.says(ping);
  expect(rig.connection.ends).toEqual([
    "4004 requests go on above requestsPerSecondMax 500 a second",
  ]);
});

test("nobody sees more than his interval permits by beginning a topic again and again", () => {
  const rig = openAs(() => somebody([{ topics: ["*:*/book"], intervalMsMin: 1_000 }]));
  const began = () => {
    const before = rig.messages.length;
    rig.subscribe(1, BOOK);
    rig.endTurn();
    const [result] = rig.messages
      .slice(before)
      .flatMap(({ subscribeResult }) => subscribeResult?.topics ?? []);
    rig.says({ unsubscribe: { topics: [BOOK] } });
    rig.endTurn();
    return result?.error === 0 ? "began" : result?.errorMessage;
  };
  expect([began(), began(), began(), began()]).toEqual(["began", "began", "began", "began"]);
  expect(began()).toContain("try in 1000 ms");
  expect(rig.hub.holds).toBe(0);
  rig.clock.advance(1_000);
  expect(began()).toBe("began");
});

describe("a client that may have a part", () => {
  const part = somebody([{ topics: ["*:ETH-USDT/*"], deny: true }, "*:*/trades"]);
  const resultsOf = (rig: SessionRig) =>
    rig.messages.flatMap(({ subscribeResult }) => subscribeResult?.topics ?? []);

  test("gets that part of a pattern, and hears that it is one", () => {
    const rig = openAs(() => part);
    rig.subscribe(1, "fake:*/*");
    rig.endTurn();
    expect(resultsOf(rig).map(({ topic, error }) => [topic, error])).toEqual([[TRADES, 0]]);
    const limited = rig.messages.flatMap(({ notice }) =>
      notice?.kind === ACCESS_LIMITED ? [notice.pattern] : [],
    );
    expect(limited).toEqual(["fake:*/*"]);
  });

  test("hears the same of what there is and of what there is not", () => {
    const rig = openAs(() => part);
    rig.subscribe(1, "fake:ETH-USDT/trades", "fake:ETH-USDT/xyz", "fake:NONE/book", "other:A/book");
    rig.subscribe(2, "fake:ETH-USDT/*", "fake:*/book", "other:*/book");
    rig.endTurn();
    const heard = resultsOf(rig).map(({ error, errorMessage, alternatives }) =>
      JSON.stringify([error, errorMessage, alternatives]),
    );
    expect(heard).toHaveLength(7);
    expect(new Set(heard)).toEqual(
      new Set([JSON.stringify([5, "this topic is not among those that you may have", []])]),
    );
  });

  test("is not led by the nearest names to what it may not have", () => {
    const rig = openAs(() => part);
    rig.subscribe(1, "fake:ETH-USD/trades", "fake:BTC-USD/trades");
    rig.endTurn();
    const [eth, btc] = resultsOf(rig);
    expect(eth?.alternatives).not.toContain("ETH-USDT");
    expect(eth?.errorMessage).not.toContain("ETH-USDT");
    expect(btc?.alternatives).toContain("BTC-USDT");
  });

  test("does not get what joins the pattern and is no part of it", () => {
    const rig = openAs(() => somebody(["fake:BTC-*/trades"]));
    rig.subscribe(1, "fake:*/trades");
    rig.endTurn();
    expect(rig.hub.holds).toBe(1);
  });
});
