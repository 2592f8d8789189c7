import { describe, expect, test } from "vitest";
import { JsonTape } from "#core/json-tape.ts";
import type { JsonText } from "#core/json-text.ts";
import type { FeedEvent, RejectReason, RestPurpose } from "../feed/feed-adapter.ts";
import { FrameDecoder, type FrameReader } from "./frame-decoder.ts";
import {
  JSON_RECORDS,
  JSON_RECORDS_AND_ARRAYS,
  tapeObjects,
  TEXT_RECORDS,
  type TextRecord,
} from "./frame-forms.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";

const BTC = fakeInstrument("BTC");
const TRADES: RestPurpose = { kind: "trades", channel: "trades", instrument: BTC };
const ALL_TICKERS: RestPurpose = { kind: "poll", channel: "ticker", instrument: undefined };

/** Has nothing that is optional. */
const SILENT: FrameReader<TextRecord, JsonText> = { message: () => {}, damaged: () => {} };

/** Notes what it is given, and answers REST with the given reason. */
function noteAll(reason?: RejectReason): {
  readonly seen: unknown[];
  readonly reader: FrameReader<TextRecord, JsonText>;
} {
  const seen: unknown[] = [];
  return {
    seen,
    reader: {
      message: (message, receivedTimeUs, _emit, text) => seen.push([message, receivedTimeUs, text]),
      damaged: (text) => seen.push(["damaged", text]),
      answer: (body, purpose, receivedTimeUs) => {
        seen.push([body, purpose.kind, receivedTimeUs]);
        return reason;
      },
      sent: (frame) => seen.push(["sent", frame]),
    },
  };
}

function reply(purpose: RestPurpose, body: string) {
  return { purpose, body };
}

describe("a frame", () => {
  test("that is whole goes to the reader, as text or as bytes, with numbers as they are written", () => {
    const { seen, reader } = noteAll();
    const decoder = new FrameDecoder(TEXT_RECORDS, reader);
    decoder.decode('{"a":1.50}', 7, () => {});
    decoder.decode(new TextEncoder().encode('{"a":1.50}'), 8, () => {});
    expect(seen).toEqual([
      [{ a: "1.50" }, 7, '{"a":1.50}'],
      [{ a: "1.50" }, 8, '{"a":1.50}'],
    ]);
  });

  test("is scanned only if it ends as messages end, where a run of digits ends too", () => {
    const scanned: string[] = [];
    const reader: FrameReader<TextRecord, JsonText> = {
      ...SILENT,
      scan: (bytes) => {
        scanned.push(new TextDecoder().decode(bytes));
        return true;
      },
    };
    const decoder = new FrameDecoder(TEXT_RECORDS, reader);
    const frames = ['{"a":1}', "[1]", '{"a":1', "[1", "", "{}\n", '"}"'];
    const taken = frames.map((frame) => decoder.scan(new TextEncoder().encode(frame), 7, () => {}));
    expect(taken).toEqual([true, true, false, false, false, false, false]);
    expect(scanned).toEqual(['{"a":1}', "[1]"]);
  });

  test("that is no JSON is the reader's to count, since only it knows what it may have cost", () => {
    const { seen, reader } = noteAll();
    new FrameDecoder(TEXT_RECORDS, reader).decode('{"a":', 7, () => {});
    expect(seen).toEqual([["damaged", '{"a":']]);
  });

  test("that is JSON of another shape is an unknown message", () => {
    const { seen, reader } = noteAll();
    const events: FeedEvent[] = [];
    new FrameDecoder(TEXT_RECORDS, reader).decode("[1]", 7, (event) => events.push(event));
    expect(seen).toEqual([]);
    expect(events).toEqual([{ kind: "rejected", reason: "unknown-message" }]);
  });

  test("that a venue compresses is read by the venue's own function", () => {
    const { seen, reader } = noteAll();
    const decoder = new FrameDecoder(TEXT_RECORDS, reader, () => '{"unpacked":true}');
    decoder.decode(new Uint8Array([1]), 7, () => {});
    expect(seen).toEqual([[{ unpacked: true }, 7, '{"unpacked":true}']]);
  });

  test("of ours is told to a reader that wants to know, and to no other", () => {
    const { seen, reader } = noteAll();
    new FrameDecoder(TEXT_RECORDS, reader).sent("subscribe");
    const plain = new FrameDecoder(TEXT_RECORDS, SILENT);
    plain.sent("subscribe");
    expect(seen).toEqual([["sent", "subscribe"]]);
    expect(plain.unsubscribeFrames([], { requestId: 1, bookDepth: 1 })).toBeUndefined();
  });
});

describe("a REST answer", () => {
  const decode = (purpose: RestPurpose, body: string, reason?: RejectReason) => {
    const { seen, reader } = noteAll(reason);
    const events: FeedEvent[] = [];
    const decoder = new FrameDecoder(TEXT_RECORDS, reader);
    decoder.decodeRest(reply(purpose, body), 9, (event) => events.push(event));
    return { seen, events };
  };

  test("goes to the reader with what it was asked for, whatever its shape", () => {
    expect(decode(TRADES, "[1]")).toEqual({ seen: [[["1"], "trades", 9]], events: [] });
  });

  test("that is no JSON, or that the reader cannot use, is counted for what was asked", () => {
    const about = { kind: "rejected", instrument: BTC, channel: "trades" };
    expect(decode(TRADES, "[").events).toEqual([{ ...about, reason: "bad-json" }]);
    const { events } = decode(TRADES, "{}", "missing-field");
    expect(events).toEqual([{ ...about, reason: "missing-field" }]);
    const all = decode(ALL_TICKERS, "{}", "missing-field").events;
    expect(all).toEqual([{ kind: "rejected", reason: "missing-field", channel: "ticker" }]);
  });

  test("that nobody reads is an unknown message", () => {
    const events: FeedEvent[] = [];
    const decoder = new FrameDecoder(TEXT_RECORDS, SILENT);
    decoder.decodeRest(reply(ALL_TICKERS, "{}"), 9, (event) => events.push(event));
    expect(events).toMatchObject([{ kind: "rejected", reason: "unknown-message" }]);
  });
});

describe("the forms", () => {
  const forms = {
    JSON_RECORDS,
    JSON_RECORDS_AND_ARRAYS,
    TEXT_RECORDS,
    tape: tapeObjects(new JsonTape()),
  };

  test.each([
    ["{", ["bad-json", "bad-json", "bad-json", "bad-json"]],
    ["5", ["unknown-message", "unknown-message", "unknown-message", "unknown-message"]],
    ['"bad-json"', ["unknown-message", "unknown-message", "unknown-message", "unknown-message"]],
    ["[5]", ["unknown-message", "message", "unknown-message", "unknown-message"]],
    ['{"a":5}', ["message", "message", "message", "message"]],
  ])("judge %s", (text, expected) => {
    const judged = Object.values(forms).map((form) => {
      const message: unknown = form.message(text);
      return typeof message === "string" ? message : "message";
    });
    expect(judged).toEqual(expected);
  });

  test("of a tape give the tape itself, as of the last text", () => {
    const tape = new JsonTape();
    const form = tapeObjects(tape);
    expect(form.message('{"a":1}')).toBe(tape);
    expect(form.body("[2]")).toBe(tape);
    expect(tape.text(tape.at(0, 0))).toBe("2");
    expect(form.body("[")).toBeUndefined();
  });
});

describe("frames that a venue compresses", () => {
  const text = '{"a":1}';
  const bytes = new TextEncoder().encode(text);
  const unpack = (frame: string | Uint8Array): string | Uint8Array => {
    if (typeof frame === "string") return frame;
    return frame.length === 0 ? "\u0000" : bytes;
  };

  test("are scanned as what they unpack to, and decoded if that is not taken", () => {
    const { seen, reader } = noteAll();
    const taken: string[] = [];
    let takes = true;
    const scan = (frame: Uint8Array): boolean => {
      if (takes) taken.push(new TextDecoder().decode(frame));
      return takes;
    };
    const decoder = new FrameDecoder(TEXT_RECORDS, { ...reader, scan }, unpack);
    decoder.decode(Uint8Array.of(1), 5, () => {});
    expect([taken, seen]).toEqual([[text], []]);
    takes = false;
    decoder.decode(Uint8Array.of(1), 6, () => {});
    decoder.decode(Uint8Array.of(), 7, () => {});
    expect(seen).toEqual([
      [{ a: "1" }, 6, text],
      ["damaged", "\u0000"],
    ]);
  });
});
