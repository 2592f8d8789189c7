import { describe, expect, test } from "vitest";
import { createFakeAdapter, fakeCatalog, quoteFrame, tradeFrame } from "#test/support/fake-feed.ts";
import type { FeedAdapter, FeedEvent } from "./feed-adapter.ts";
import { fenceAdapter } from "./venue-fence.ts";

const CONTEXT = { catalog: fakeCatalog(["A"]), bookDepth: 10 };

/** An adapter whose code throws at whatever says `explode`. */
function fragile(faults: string[]): FeedAdapter {
  const whole = createFakeAdapter({ paged: true, handsOutAddresses: true });
  const guard = (text: unknown): void => {
    if (String(text).includes("explode")) throw new TypeError("cannot convert");
  };
  return fenceAdapter(
    {
      ...whole,
      parseInstruments: (body, url) => {
        guard(body);
        return whole.parseInstruments(body, url);
      },
      nextInstrumentsRequest: (request, body) => {
        guard(body);
        return whole.nextInstrumentsRequest?.(request, body);
      },
      parseConnection: (body, options) => {
        guard(body);
        return whole.parseConnection?.(body, options);
      },
      parseServerTimeUs: (body) => {
        guard(body);
        return 5;
      },
      recordedRequest: (url) => {
        guard(url);
        return whole.recordedRequest(url);
      },
      createDecoder: (context) => {
        const decoder = whole.createDecoder(context);
        return {
          ...decoder,
          decode: (frame, at, emit) => {
            if (!String(frame).startsWith("explode")) decoder.decode(frame, at, emit);
            guard(frame);
          },
          scan: (bytes, at, emit) => {
            const frame = Buffer.from(bytes).toString();
            guard(frame);
            if (!frame.startsWith("{")) return false;
            decoder.decode(frame, at, emit);
            return true;
          },
          decodeRest: (reply, at, emit) => {
            guard(reply.body);
            decoder.decodeRest(reply, at, emit);
          },
        };
      },
    },
    (where, error) => faults.push(`${where}: ${String(error)}`),
  );
}

describe("what a venue's code throws", () => {
  test("while it scans is a rejection, and nobody decodes the frame again", () => {
    const faults: string[] = [];
    const decoder = fragile(faults).createDecoder(CONTEXT);
    const events: FeedEvent[] = [];
    const scan = (text: string) => decoder.scan?.(Buffer.from(text), 1, (it) => events.push(it));
    expect(scan("explode")).toBe(true);
    expect(events).toEqual([{ kind: "rejected", reason: "decoder-fault" }]);
    expect(faults).toEqual(["scan: TypeError: cannot convert"]);
    expect(scan("[1]")).toBe(false);
    expect(scan(quoteFrame("A"))).toBe(true);
    expect(events.at(-1)).toMatchObject({ kind: "quote" });
  });

  test("at a frame is a rejection, after what the frame gave before", () => {
    const faults: string[] = [];
    const decoder = fragile(faults).createDecoder(CONTEXT);
    const events: FeedEvent[] = [];
    const take = (event: FeedEvent): number => events.push(event);
    decoder.decode(tradeFrame("A", "explode"), 1, take);
    decoder.decode("explode", 1, take);
    decoder.decode(tradeFrame("A", "2"), 1, take);
    expect(events.map((event) => (event.kind === "rejected" ? event.reason : event.kind))).toEqual([
      "trade",
      "decoder-fault",
      "decoder-fault",
      "trade",
    ]);
    const fault = "decode: TypeError: cannot convert";
    expect(faults).toEqual([fault, fault]);
  });

  test("at an answer is a rejection of what was asked for", () => {
    const decoder = fragile([]).createDecoder(CONTEXT);
    const instrument = CONTEXT.catalog.byVenueSymbol("A")!;
    const events: FeedEvent[] = [];
    const take = (event: FeedEvent): number => events.push(event);
    const purpose = { kind: "trades", channel: "trades", instrument } as const;
    decoder.decodeRest({ purpose, body: "explode" }, 1, take);
    const poll = { kind: "poll", channel: "ticker", instrument: undefined } as const;
    decoder.decodeRest({ purpose: poll, body: "explode" }, 1, take);
    decoder.decodeRest({ purpose, body: quoteFrame("A") }, 1, take);
    expect(events.slice(0, 2)).toEqual([
      { kind: "rejected", reason: "decoder-fault", instrument, channel: "trades" },
      { kind: "rejected", reason: "decoder-fault", channel: "ticker" },
    ]);
    expect(events[2]?.kind).toBe("quote");
  });

  test("at a list, an address or a clock says that the answer holds none", () => {
    const faults: string[] = [];
    const adapter = fragile(faults);
    const options = { plan: { url: "", subscriptions: [] }, connectionId: "1" };
    expect(adapter.parseInstruments("explode", "")).toBeUndefined();
    expect(adapter.nextInstrumentsRequest?.({ url: "", weight: 1 }, "explode")).toBeUndefined();
    expect(adapter.parseConnection?.("explode", options)).toBeUndefined();
    expect(adapter.parseServerTimeUs?.("explode")).toBeUndefined();
    expect(adapter.recordedRequest("explode")).toBeUndefined();
    expect(faults).toHaveLength(5);
    expect(adapter.parseInstruments('["A"]', "")?.instruments).toHaveLength(1);
    expect(adapter.parseServerTimeUs?.("")).toBe(5);
    expect(adapter.parseConnection?.("fake://x", options)?.url).toBe("fake://x?id=1");
    expect(adapter.recordedRequest("fake://rest/book/A")?.kind).toBe("book-snapshot");
  });

  test("is not what those throw who take its events: that is a fault of ours", () => {
    const faults: string[] = [];
    const decoder = fragile(faults).createDecoder(CONTEXT);
    const bug = (): never => {
      throw new Error("an invariant is broken");
    };
    expect(() => decoder.decode(tradeFrame("A", "1"), 1, bug)).toThrow("an invariant is broken");
    expect(faults).toEqual([]);
    const events: FeedEvent[] = [];
    decoder.decode("explode", 1, (event) => events.push(event));
    expect(events.map(({ kind }) => kind)).toEqual(["rejected"]);
  });

  test("does not make up what the venue does not have", () => {
    const plain = fenceAdapter(createFakeAdapter(), () => {});
    const options = { plan: { url: "", subscriptions: [] }, connectionId: "1" };
    expect(plain.parseServerTimeUs?.("5")).toBeUndefined();
    expect(plain.nextInstrumentsRequest?.({ url: "", weight: 1 }, "[] next")).toBeUndefined();
    expect(plain.parseConnection?.("fake://x", options)).toBeUndefined();
  });
});
