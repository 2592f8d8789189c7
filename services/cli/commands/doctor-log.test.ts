import { expect, test } from "vitest";
import type { StreamExamination, StreamFacts } from "#bus/jetstream-examination.ts";
import type { Check } from "./doctor-checks.ts";
import { checkStreamLog } from "./doctor-log.ts";

const NOW_US = 2_000_000_000_000_000;
const SETTINGS = { storage: "file", replicas: 1, bytesMax: 2 ** 32, ageMsMax: 86_400_000 } as const;
const STREAM: StreamFacts = {
  subjects: ["md.v2.kraken.>"],
  retention: "limits",
  discard: "old",
  storage: "file",
  replicas: 1,
  bytesMax: 2 ** 32,
  ageMsMax: 86_400_000,
  entriesMax: -1,
  entriesPerSubjectMax: -1,
  entryBytesMax: -1,
  duplicateWindowMs: 120_000,
  allowsDirect: true,
  isSealed: false,
  entries: 5_000,
  bytes: 1_500_000,
  oldestTimeUs: NOW_US - 3 * 3_600_000_000,
};
const EXAMINED: StreamExamination = {
  name: "TICKWIRE_kraken",
  pattern: "md.v2.kraken.>",
  stream: STREAM,
  isServed: true,
  refusedToRead: [],
  refusedToMake: [],
};

function checks(
  stream: Partial<StreamFacts> = {},
  more: Partial<StreamExamination> = {},
  settings: Partial<typeof SETTINGS> | Record<string, unknown> = {},
): readonly Check[] {
  const examined = { ...EXAMINED, stream: { ...STREAM, ...stream }, ...more };
  const wanted = { kind: "jetstream", settings: { ...SETTINGS, ...settings } } as const;
  return checkStreamLog(examined, wanted, NOW_US);
}

const wrong = (list: readonly Check[]) =>
  list.filter(({ verdict }) => verdict !== "ok").map(({ verdict, name }) => `${verdict} ${name}`);

test("a stream that is as it should be is told with all its settings", () => {
  const told = checks();
  expect(wrong(told)).toEqual([]);
  expect(told.map(({ name, text }) => `${name}: ${text}`)).toEqual([
    "log rights: we may read the stream and make it",
    "log subjects: TICKWIRE_kraken takes md.v2.kraken.>",
    "log keeping: retention limits, the oldest go first, read directly, " +
      "duplicates of 120 s (messages have no id, so there are none)",
    "log storage: file, one copy; power that fails takes what the server has not written: " +
      "up to 2 minutes, or its sync_interval",
    "log limits: 4 GiB, 24 h",
    "log other limits: none",
    "log content: 5000 batches, 1.4 MiB, back 3 h",
  ]);
});

test.each<[Partial<StreamFacts>, string]>([
  [{ subjects: ["md.v2.okx.>"] }, "fail log subjects"],
  [{ subjects: [] }, "fail log subjects"],
  [{ subjects: ["md.v2.kraken.>", "x.>"] }, "warn log subjects"],
  [{ retention: "workqueue" }, "fail log keeping"],
  [{ discard: "new" }, "fail log keeping"],
  [{ allowsDirect: false }, "fail log keeping"],
  [{ isSealed: true }, "fail log keeping"],
  [{ storage: "memory" }, "warn log storage"],
  [{ replicas: 3 }, "warn log storage"],
  [{ bytesMax: -1 }, "warn log limits"],
  [{ ageMsMax: 0 }, "warn log limits"],
  [{ entriesMax: 1_000 }, "warn log other limits"],
  [{ entriesPerSubjectMax: 1 }, "warn log other limits"],
  [{ entryBytesMax: 1_024 }, "warn log other limits"],
  [{ entries: 0, bytes: 0, oldestTimeUs: 0 }, "warn log content"],
])("of a stream with %j is said: %s", (stream, what) => {
  expect(wrong(checks(stream))).toEqual([what]);
});

test("what is wanted counts, and memory that is wanted is said to be lost", () => {
  expect(wrong(checks({ storage: "memory" }, {}, { storage: "memory" }))).toEqual([
    "warn log storage",
  ]);
  expect(wrong(checks({ replicas: 3 }, {}, { replicas: 3 }))).toEqual([]);
});

test("a stream that is not there, and a server without JetStream, are said with what to do", () => {
  const none = checks({}, { stream: undefined });
  expect(none.at(-1)).toMatchObject({
    verdict: "fail",
    text: expect.stringMatching(/an ingestor .* makes it/),
  });
  const unserved = checks({}, { stream: undefined, isServed: false });
  expect(unserved.at(-1)).toMatchObject({
    verdict: "fail",
    text: expect.stringMatching(/start it with -js/),
  });
});

test("rights that are lacking are named, unless they are those of the other side", () => {
  const info = "$JS.API.STREAM.INFO.TICKWIRE_kraken";
  const create = "$JS.API.STREAM.CREATE.TICKWIRE_kraken";
  const get = "$JS.API.DIRECT.GET.TICKWIRE_kraken";
  expect(checks({}, { refusedToMake: [create] })[0]).toMatchObject({
    verdict: "ok",
    text: "we may read the stream, as gateways have to",
  });
  expect(checks({}, { refusedToRead: [get] })[0]).toMatchObject({ verdict: "ok" });
  const [reading, making, ...rest] = checks(
    {},
    { stream: undefined, refusedToRead: [info, get], refusedToMake: [info, create] },
  );
  expect(reading?.text).toBe(`for a gateway, which reads, allow publish on ${info}, ${get}`);
  expect(making?.text).toBe(`for an ingestor, which makes it, allow publish on ${info}, ${create}`);
  expect(rest).toEqual([]);
});

test("a configuration that keeps nothing is pointed out", () => {
  const [first] = checkStreamLog(EXAMINED, { kind: "off", settings: SETTINGS }, NOW_US);
  expect(first).toMatchObject({ verdict: "warn", name: "log kind" });
});
