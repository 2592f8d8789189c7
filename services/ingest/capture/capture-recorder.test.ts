import { expect, test } from "vitest";
import { FakeDialer, FakeRest } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { parseCaptureLine } from "./capture-format.ts";
import { CaptureRecorder, redactFrame, redactUrl } from "./capture-recorder.ts";

function start(bufferedBytesMax = 1_000_000) {
  const dialer = new FakeDialer();
  const rest = new FakeRest();
  const written: string[] = [];
  const disk = { buffered: 0 };
  const recorder = new CaptureRecorder({
    venue: "kraken",
    source: "test",
    dialer,
    restClient: rest,
    bufferedBytesMax,
    clock: new ManualClock(1e3),
    writer: {
      write: (lines) => written.push(lines),
      bufferedBytes: () => disk.buffered,
    },
  });
  const seen: string[] = [];
  const socket = recorder.dial(
    "wss://venue/stream?token=SECRET&a=1",
    {
      onOpen: () => seen.push("open"),
      onFrame: (frame) => seen.push(String(frame)),
      onClose: (code) => seen.push(`close ${code}`),
    },
    { frameBytesMax: 1000 },
  );
  const lines = () =>
    written
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => parseCaptureLine(line));
  return { dialer, rest, recorder, socket, seen, lines, disk };
}

test("records a text that comes as bytes as the text, for whoever takes texts and for others", () => {
  const { dialer, seen, lines } = start();
  dialer.last.open();
  dialer.last.handlers.onText?.(Buffer.from('{"p":"1€"}'));
  expect(seen).toEqual(["open", '{"p":"1€"}']);
  expect(lines().at(-1)).toMatchObject({ kind: "received", frame: '{"p":"1€"}' });
});

test("writes what passes, in order, and passes it on", () => {
  const { dialer, rest, recorder, socket, seen, lines } = start();
  dialer.last.open();
  socket.send('{"subscribe":1}');
  dialer.last.receive("one");
  dialer.last.handlers.onFrame(Buffer.from([1, 2]));
  let answered = 0;
  recorder.get(
    { url: "https://x/depth?apiKey=SECRET", weight: 1 },
    () => (answered += 1),
    () => {},
  );
  rest.answer(200, "{}");
  dialer.last.drop(1001);
  expect(seen).toEqual(["open", "one", "\u0001\u0002", "close 1001"]);
  expect(dialer.last.sent).toEqual(['{"subscribe":1}']);
  expect(answered).toBe(1);
  const atUs = 1_000;
  expect(lines()).toEqual([
    { kind: "header", venue: "kraken", source: "test" },
    { kind: "open", atUs, connection: 1, url: "wss://venue/stream?token=redacted&a=1" },
    { kind: "sent", atUs, connection: 1, text: '{"subscribe":1}' },
    { kind: "received", atUs, connection: 1, frame: "one" },
    { kind: "received", atUs, connection: 1, frame: Buffer.from([1, 2]) },
    {
      kind: "http",
      atUs,
      method: "GET",
      url: "https://x/depth?apiKey=redacted",
      status: 200,
      body: "{}",
    },
    { kind: "close", atUs, connection: 1, code: 1001 },
  ]);
});

test("writes how it was asked, and no token that is handed out", () => {
  const { rest, recorder, lines } = start();
  const seen: string[] = [];
  const ask = (method: "GET" | "POST"): void =>
    recorder.get(
      { url: "https://x/connect", weight: 1, method },
      ({ body }) => seen.push(body),
      () => {},
    );
  const body = '{"token":"SECRET","url":"wss://x"}';
  ask("POST");
  rest.answer(200, body);
  ask("GET");
  rest.answer(200, body);
  expect(seen).toEqual([body, body]);
  expect(lines().slice(1)).toMatchObject([
    { kind: "http", method: "POST", body: '{"token":"redacted","url":"wss://x"}' },
    // A list of instruments may name its tokens.
    { kind: "http", method: "GET", body },
  ]);
});

test("the end of a connection is written once, whoever ends it", () => {
  const { dialer, socket, lines } = start();
  dialer.last.open();
  socket.terminate();
  socket.close();
  dialer.last.drop();
  expect(lines().filter(({ kind }) => kind === "close")).toHaveLength(1);
});

test("a disk that is too slow shows as a lost connection, and slows nobody", () => {
  const { dialer, recorder, seen, lines, disk } = start(100);
  dialer.last.open();
  disk.buffered = 99;
  dialer.last.receive("written");
  disk.buffered = 100;
  dialer.last.receive("left out", "this too");
  disk.buffered = 0;
  dialer.last.receive("written again");
  expect(seen).toEqual(["open", "written", "left out", "this too", "written again"]);
  expect(recorder.linesLost).toBe(2);
  expect(lines().map((line) => (line.kind === "received" ? line.frame : line.kind))).toEqual([
    "header",
    "open",
    "written",
    "close",
    "open",
    "written again",
  ]);
});

test("secrets are blotted out of addresses and frames", () => {
  expect(redactUrl("wss://me:pw@x/ws?TOKEN=a%20b&connectId=7#f")).toBe(
    "wss://x/ws?TOKEN=redacted&connectId=7#f",
  );
  expect(redactFrame('{"op":"auth","api_key":"a\\"b","signature" : "c","n":"d"}')).toBe(
    '{"op":"auth","api_key":"redacted","signature" : "redacted","n":"d"}',
  );
});
