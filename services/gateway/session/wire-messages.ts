import type { ClientRequest, ServerMessageInit } from "#wire/frame-codec.ts";

type ValueOf<Message extends { kind: string; value: unknown }, Kind extends string> = Extract<
  Message,
  { kind: Kind }
>["value"];

/** The messages of the schema that several files of the gateway talk about. */
export type CallMessage = ValueOf<ClientRequest, "call">;
export type HelloMessage = ValueOf<ClientRequest, "hello">;
export type AuthenticateMessage = ValueOf<ClientRequest, "authenticate">;
export type SubscribeMessage = ValueOf<ClientRequest, "subscribe">;
export type UnsubscribeMessage = ValueOf<ClientRequest, "unsubscribe">;
export type UpdateMessage = ValueOf<ClientRequest, "update">;
export type TopicUpdateMessage = UpdateMessage["topics"][number];
export type TopicRequestMessage = SubscribeMessage["topics"][number];
export type TopicResultInit = NonNullable<
  ValueOf<ServerMessageInit, "subscribeResult">["topics"]
>[number];
export type WelcomeInit = ValueOf<ServerMessageInit, "welcome">;
export type AccessInit = ValueOf<ServerMessageInit, "access">;
export type NoticeInit = ValueOf<ServerMessageInit, "notice">;
export type RequestRefusedInit = ValueOf<ServerMessageInit, "requestRefused">;
export type ReplyInit = ValueOf<ServerMessageInit, "reply">;
/** The schema's name of a reason why a topic cannot be had. */
export type TopicErrorName = NonNullable<TopicResultInit["error"]>;
