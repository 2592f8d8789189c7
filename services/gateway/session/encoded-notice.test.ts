import { tickwire } from "@tickwire/proto/protobufjs";
import { expect, test } from "vitest";
import { encodedNotice } from "./encoded-notice.ts";
import type { NoticeInit } from "./wire-messages.ts";

const GAP: NoticeInit = {
  kind: "NOTICE_KIND_GAP",
  message: "events were lost",
  topicId: 7,
  missingFirst: 3,
  missingLast: 5,
  position: { epoch: 4, sequence: 9 },
};

function decoded(notice: NoticeInit): unknown {
  const [message] = tickwire.v1.ServerFrame.decode(encodedNotice(notice)).messages;
  const { missingFirst, missingLast, position, topicId } = message?.notice ?? {};
  return [topicId, missingFirst, missingLast, position?.epoch, position?.sequence].map(Number);
}

test("what thousands are told is encoded once", () => {
  const first = encodedNotice(GAP);
  for (let session = 0; session < 5_000; session += 1)
    expect(encodedNotice({ ...GAP })).toBe(first);
});

test.each([
  [{ topicId: 8 }, [8, 3, 5, 4, 9]],
  [{ missingFirst: 2 }, [7, 2, 5, 4, 9]],
  [{ missingLast: 6 }, [7, 3, 6, 4, 9]],
  [{ position: { epoch: 5, sequence: 9 } }, [7, 3, 5, 5, 9]],
  [{ position: { epoch: 4, sequence: 8 } }, [7, 3, 5, 4, 8]],
])("a notice that differs in %j is another one", (change, expected) => {
  const before = encodedNotice(GAP);
  expect(decoded({ ...GAP, ...change })).toEqual(expected);
  expect(encodedNotice(GAP)).toEqual(before);
});

test.each([{ message: "other words" }, { kind: "NOTICE_KIND_TOPIC_ENDED" as const }])(
  "so is one that differs in %j",
  (change) => {
    expect(encodedNotice({ ...GAP, ...change })).not.toEqual(encodedNotice(GAP));
  },
);
