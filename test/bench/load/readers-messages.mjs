// What readers send to a gateway: a hello, and which topics of tickwire-server.mjs they want.
import { tickwire } from "@tickwire/proto/protobufjs";

/** A frame with one message. */
const frame = (message) =>
  Buffer.from(tickwire.v1.ClientFrame.encode({ messages: [message] }).finish());

export const HELLO = frame({ hello: { protocolVersion: 1, clientName: "load" } });

/** Subscribes to topics by their numbers. */
export const subscribe = (topics) =>
  frame({
    subscribe: {
      requestId: 1,
      topics: topics.map((topic) => ({
        topic: `bench:SYM${String(topic).padStart(5, "0")}-USDT/trades`,
      })),
    },
  });

/** The first topics. */
export const firstTopics = (count) => Array.from({ length: count }, (_, topic) => topic);

/** Topics of the reader with that number: each topic gets as many subscribers as the others. */
const topicsOf = (reader, { topics, each }) =>
  firstTopics(each).map(
    (index) => (reader * 7 + index * Math.max(1, Math.floor(topics / each))) % topics,
  );

/** What each of these readers sends to a gateway to have its topics. */
export const subscribing = (readers, shape) =>
  firstTopics(readers).map((reader) => [HELLO, subscribe(topicsOf(reader, shape))]);

/** The same to a server of uWebSockets.js alone, which takes their numbers. */
export const naming = (readers, shape) =>
  firstTopics(readers).map((reader) => [Buffer.from(topicsOf(reader, shape).join(","))]);
