import {
  createControlCodec,
  createEnumTable,
  type ControlCodec,
  type ControlReference,
} from "@tickwire/proto/codec";
import type {
  Access,
  Authenticate,
  BookChecksum,
  Hello,
  Notice,
  Part,
  Ping,
  Pong,
  Probe,
  ProbeAnswer,
  RequestRefused,
  Subscribe,
  SubscribeResult,
  Unsubscribe,
  Update,
  Welcome,
} from "@tickwire/proto/messages";

// The messages that steer a connection, as the schema has them: control-messages.test.ts compares
// each with what is generated from it, and with protobufjs. The codecs that are generated do more,
// and a page would pay for it.

const Position = /* @__PURE__ */ createControlCodec("Uepoch Usequence");

const ChannelTable = /* @__PURE__ */ createEnumTable(
  "CHANNEL_",
  "UNSPECIFIED TRADES QUOTES BOOK CANDLES TICKER FUNDING MARK_PRICE OPEN_INTEREST LIQUIDATIONS STATUS LISTINGS",
  "UNSPECIFIED",
);
const ContinuityTable = /* @__PURE__ */ createEnumTable(
  "CONTINUITY_",
  "UNSPECIFIED NEW RESUMED REPLACED",
  "UNSPECIFIED",
);
const NoticeKindTable = /* @__PURE__ */ createEnumTable(
  "NOTICE_KIND_",
  "UNSPECIFIED GOING_AWAY LAG GAP TOPIC_ENDED ACCESS_LIMITED=7 EPOCH=6 CONFLATION=10",
  "UNSPECIFIED",
);
const SnapshotModeTable = /* @__PURE__ */ createEnumTable(
  "SNAPSHOT_MODE_",
  "UNSPECIFIED NONE WHOLE",
  "UNSPECIFIED",
);
const TopicErrorTable = /* @__PURE__ */ createEnumTable(
  "TOPIC_ERROR_",
  "UNSPECIFIED MALFORMED UNKNOWN ALREADY_SUBSCRIBED LIMIT_EXCEEDED PERMISSION_DENIED UNAVAILABLE NOT_SUBSCRIBED UNKNOWN_VENUE UNKNOWN_SYMBOL UNKNOWN_CHANNEL NOT_READY UNSUPPORTED_OPTION",
  "UNKNOWN",
);
const AccessErrorTable = /* @__PURE__ */ createEnumTable(
  "ACCESS_ERROR_",
  "UNSPECIFIED INVALID EXPIRED REVOKED STALE OTHER_PRINCIPAL UNAVAILABLE",
  "UNSPECIFIED",
);

export const HelloControl: ControlCodec<Hello> = /* @__PURE__ */ createControlCodec(
  "uprotocolVersion sclientName sclientVersion bacceptCompression banswersProbes saccessToken 10UbandwidthBytesPerSecondMax 13bacceptsParts",
);

export const WelcomeControl: ControlCodec<Welcome> = /* @__PURE__ */ createControlCodec(
  "uprotocolVersion ssessionId sserverVersion IserverTimeUs mlimits sgatewayId",
  [
    /* @__PURE__ */ createControlCodec(
      "uframeBytesMax usubscriptionsMax utopicsPerRequestMax uconcurrentCallsMax urequestsPerSecondMax 10UbandwidthBytesPerSecondMax",
    ),
  ],
);

export const NoticeControl: ControlCodec<Notice> = /* @__PURE__ */ createControlCodec(
  "ekind smessage utopicId UmissingFirst UmissingLast ureconnectWindowMs ulagMs mposition UowedBytes 13uconflationIntervalMs UbandwidthBytesPerSecond UbandwidthBytesPerSecondMax bcontinues 20spattern",
  [NoticeKindTable, Position],
);

export const PartControl: ControlCodec<Part> = /* @__PURE__ */ createControlCodec(
  "ulane ydata bisLast bisVoid",
);

export const PingControl: ControlCodec<Ping> = /* @__PURE__ */ createControlCodec("Unonce");

export const PongControl: ControlCodec<Pong> =
  /* @__PURE__ */ createControlCodec("Unonce IserverTimeUs");

export const ProbeControl: ControlCodec<Probe> = /* @__PURE__ */ createControlCodec("unumber");

export const ProbeAnswerControl: ControlCodec<ProbeAnswer> =
  /* @__PURE__ */ createControlCodec("unumber");

export const SubscribeControl: ControlCodec<Subscribe> = /* @__PURE__ */ createControlCodec(
  "urequestId m*topics",
  [
    /* @__PURE__ */ createControlCodec(
      "stopic udepth uconflationIntervalMs esnapshot mresume bchecksum",
      [SnapshotModeTable, Position],
    ),
  ],
);

export const SubscribeResultControl: ControlCodec<SubscribeResult> =
  /* @__PURE__ */ createControlCodec("urequestId m*topics bisPartial", [
    /* @__PURE__ */ createControlCodec(
      "urequestIndex stopic eerror serrorMessage utopicId svenue ssymbol svenueSymbol echannel mposition econtinuity udepth uconflationIntervalMs s*alternatives mended u*candleIntervalsMs Urecovered 30udepthMax",
      [TopicErrorTable, ChannelTable, Position, ContinuityTable, Position],
    ),
  ]);

export const UnsubscribeControl: ControlCodec<Unsubscribe> =
  /* @__PURE__ */ createControlCodec("urequestId s*topics");

export const UpdateControl: ControlCodec<Update> = /* @__PURE__ */ createControlCodec(
  "urequestId m*topics",
  [/* @__PURE__ */ createControlCodec("stopic udepth uconflationIntervalMs")],
);

/** Of a RequestRefused, what is read: the names of kinds and codes would be bytes of every page. */
export const RequestRefusedControl: ControlCodec<RequestRefused> =
  /* @__PURE__ */ createControlCodec("2urequestId 5uretryAfterMs");

export const BookChecksumControl: ControlCodec<BookChecksum> = /* @__PURE__ */ createControlCodec(
  "utopicId Uepoch Usequence ucrc32",
);

export const AccessControl: ControlCodec<Access> = /* @__PURE__ */ createControlCodec(
  "urequestId eerror serrorMessage sprincipal UexpiresInMs bisExpiring",
  [AccessErrorTable],
);

export const AuthenticateControl: ControlCodec<Authenticate> =
  /* @__PURE__ */ createControlCodec("urequestId saccessToken");

/** What reads and writes a message of a frame: one of these, or a codec that is generated. */
export type FrameMember = Extract<ControlReference, { readonly encode: unknown }>;
