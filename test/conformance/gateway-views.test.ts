import { connect, type Client, type LiveBook, type NoticeEvent } from "@tickwire/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createPrng } from "#test/support/prng.ts";
import { TRANSPORTS } from "#test/support/transports.ts";
import { Rig } from "./gateway-harness.ts";

// Views over real sockets, in time that the test moves: the client that is shipped shows what the
// ingestor has, whatever view it comes from and goes to.

const SYMBOL = "BTC-USDT";
const VIEWS = [0, 1, 5, 100].flatMap((depth) => {
  return [0, 50, 1_000].map((conflationIntervalMs) => ({ depth, conflationIntervalMs }));
});

describe.each(TRANSPORTS)("views over %s", (transport) => {
  let rig: Rig;
  let client: Client;
  let random: () => number;
  const notices: NoticeEvent[] = [];

  beforeEach(async () => {
    // The gateway's time jumps while a client is on its way, which keeps to its rate in real time.
    const lags = { lagNoticeMs: 3_600_000, lagMsMax: 7_200_000 };
    const config = { requestsPerSecondMax: 100_000, ...lags };
    rig = await Rig.start(transport, { config });
    const prng = createPrng(7);
    random = () => prng.next();
    notices.length = 0;
    const connecting = connect(`ws://127.0.0.1:${rig.gateway.port}`, { pingIntervalMs: 0 });
    client = await connecting;
  });

  afterEach(async () => {
    client.close();
    await rig.stop();
  });

  /** Some changes of bids, some of which take levels away. */
  function trade(events: number): void {
    for (let event = 0; event < events; event += 1) {
      const price = 9_000 + Math.floor(random() * 20);
      const size = Math.floor(random() * 4);
      rig.ingestor.publish([rig.ingestor.book(SYMBOL, price, size)]);
    }
  }

  /** The best bids as the ingestor has them. */
  function expected(depth: number): string[] {
    return [...rig.ingestor.bids(SYMBOL)]
      .sort(([one], [other]) => Number(other) - Number(one))
      .slice(0, depth === 0 ? undefined : depth)
      .map(([price, size]) => `${size}@${Number(price) / 100}`);
  }

  const shown = (book: LiveBook | undefined): string[] =>
    (book?.bids ?? []).map(({ price, size }) => `${size}@${price}`);

  /**
   * Turns until it is so; in vain it fails with what the last look said. Time passes with them: the
   * gateway may have read a request only after it was moved.
   */
  async function until<T>(look: () => T, wanted: T): Promise<void> {
    for (let turn = 0; turn < 2_000; turn += 1) {
      if (JSON.stringify(look()) === JSON.stringify(wanted)) return;
      await rig.settle();
      if (turn % 20 === 19) rig.clock.advance(250);
    }
    expect(look()).toEqual(wanted);
  }

  test("a book is changed from each view to each other without a gap", async () => {
    trade(30);
    let book: LiveBook | undefined;
    const onNotice = (notice: NoticeEvent) => void notices.push(notice);
    const subscription = client.onBook(`fake:${SYMBOL}`, (given) => (book = given), { onNotice });
    await until(() => shown(book), expected(0));
    for (const from of VIEWS) {
      for (const to of VIEWS) {
        if (to === from) continue;
        for (const view of [from, to]) {
          subscription.update(view);
          trade(5);
          await rig.settle();
          trade(5);
          await rig.settle();
          rig.clock.advance(1_000);
          await until(() => shown(book), expected(view.depth));
        }
      }
    }
    expect(notices.map(({ type }) => type)).toEqual(["continuity"]);
    expect(client.counters.gaps).toBe(0);
  }, 240_000);

  test("trades of a view come together, and none is left out", async () => {
    const sequences: number[] = [];
    const options = { conflationIntervalMs: 250 };
    let isStarted = false;
    const onNotice = () => void (isStarted = true);
    const note = ({ sequence }: { sequence: number }) => void sequences.push(sequence);
    client.onTrades(`fake:${SYMBOL}`, note, { ...options, onNotice });
    await until(() => isStarted, true);
    for (let price = 1; price <= 40; price += 1) {
      rig.ingestor.publish([rig.ingestor.trade(SYMBOL, price)]);
    }
    await rig.settle();
    expect(sequences).toEqual([]);
    rig.clock.advance(250);
    const all = Array.from({ length: 40 }, (_, index) => index + 1);
    await until(() => sequences, all);
  });
});
