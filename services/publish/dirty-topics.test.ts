import { expect, test } from "vitest";
import { DirtyTopics } from "./dirty-topics.ts";
import type { TopicRecord } from "./topic-record.ts";

const topic = (subject: string) => ({ subject }) as TopicRecord;

/** The subjects of what is taken. */
function taken(topics: DirtyTopics): string[] {
  const subjects: string[] = [];
  topics.takeAll(({ subject }) => subjects.push(subject));
  return subjects;
}

test("topics are taken once, in the order in which they were added", () => {
  const topics = new DirtyTopics();
  for (const subject of ["a", "b", "c"]) topics.add(topic(subject));
  expect(taken(topics)).toEqual(["a", "b", "c"]);
  expect(taken(topics)).toEqual([]);
  topics.add(topic("d"));
  expect(taken(topics)).toEqual(["d"]);
});

test("what is added while others are taken waits, also where these are taken within each other", () => {
  const topics = new DirtyTopics();
  for (const subject of ["a", "b", "c"]) topics.add(topic(subject));
  const seen: string[] = [];
  topics.takeAll(({ subject }) => {
    seen.push(subject);
    topics.add(topic(`${subject}2`));
    if (subject === "b") seen.push(...taken(topics));
  });
  expect(seen).toEqual(["a", "b", "a2", "b2", "c"]);
  expect(taken(topics)).toEqual(["c2"]);
});

test("none is left after they were forgotten", () => {
  const topics = new DirtyTopics();
  for (const subject of ["a", "b"]) topics.add(topic(subject));
  topics.clear();
  expect(taken(topics)).toEqual([]);
  topics.add(topic("c"));
  expect(taken(topics)).toEqual(["c"]);
});
