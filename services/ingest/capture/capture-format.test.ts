import { describe, expect, test } from "vitest";
import { formatCaptureHeader, formatCaptureRecord, parseCaptureLine } from "./capture-format.ts";
import type { CaptureRecord } from "./capture-format.ts";

const RECORDS: readonly CaptureRecord[] = [
  { kind: "open", atUs: 1_618_678_132_385_815, connection: 1, url: "wss://ws.kraken.com" },
  { kind: "sent", atUs: 2, connection: 1, text: '{"a":"ü\\n"}' },
  { kind: "received", atUs: 3, connection: 1, frame: '{"price":1.10}' },
  { kind: "received", atUs: 3, connection: 2, frame: Buffer.from([0, 255, 10, 13]) },
  { kind: "http", atUs: 4, method: "GET", url: "https://x/y?z=1", status: 429, body: "" },
  { kind: "close", atUs: 5, connection: 1, code: 1006 },
];

describe("a line", () => {
  test.each(RECORDS)("of $kind reads back as it was written", (record) => {
    const text = formatCaptureRecord(record);
    expect(text.endsWith("\n")).toBe(true);
    expect(text.indexOf("\n")).toBe(text.length - 1);
    expect(parseCaptureLine(text.slice(0, -1))).toEqual(record);
  });

  test("of the header has the form that others write", () => {
    const text = '{"capture":1,"venue":"kraken","source":"cryptofeed"}\n';
    expect(formatCaptureHeader({ venue: "kraken", source: "cryptofeed" })).toBe(text);
    expect(parseCaptureLine(text.trim())).toEqual({
      kind: "header",
      venue: "kraken",
      source: "cryptofeed",
    });
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    '{"at":1}',
    '{"at":1,"kind":"unheard-of"}',
    '{"at":-1,"kind":"close","connection":1}',
    '{"at":1.5,"kind":"received","connection":1,"text":""}',
    '{"at":1,"kind":"received","connection":1}',
    '{"at":1,"kind":"open","connection":1}',
    '{"at":1,"kind":"http","url":"x","status":200}',
    '{"capture":2,"venue":"x"}',
    '{"capture":1}',
  ])("that is damaged says so: %s", (line) => {
    expect(parseCaptureLine(line).kind).toBe("damaged");
  });

  test("cut anywhere is damaged or, at its end, whole", () => {
    for (const record of RECORDS) {
      const line = formatCaptureRecord(record).trimEnd();
      for (let length = 0; length < line.length; length += 1) {
        expect(parseCaptureLine(line.slice(0, length)).kind).toBe("damaged");
      }
    }
  });
});
