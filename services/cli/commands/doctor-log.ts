import type { StreamExamination, StreamFacts } from "#bus/jetstream-examination.ts";
import type { StreamSettings } from "#bus/jetstream-log.ts";
import type { Check } from "./doctor-checks.ts";

/** What the configuration wants of a stream log. */
type WantedLog = {
  readonly kind: "off" | "memory" | "jetstream";
  readonly settings: StreamSettings;
};

const check = (verdict: Check["verdict"], part: string, text: string): Check => {
  return { verdict, name: `log ${part}`, text };
};

/** The checks of the stream in which JetStream keeps a venue, and what to do where one fails. */
export function checkStreamLog(
  examined: StreamExamination,
  { kind, settings }: WantedLog,
  nowUs: number,
): readonly Check[] {
  const checks: Check[] = [];
  if (kind !== "jetstream") {
    const text = `streamLog.kind is ${kind} here; ingestors and gateways use JetStream if it is jetstream`;
    checks.push(check("warn", "kind", text));
  }
  checks.push(...checkRights(examined));
  const { name, stream, isServed, refusedToRead } = examined;
  if (!isServed) {
    const text =
      "the server has no JetStream for us; start it with -js, and enable it for the account";
    return [...checks, check("fail", "stream", text)];
  }
  if (stream === undefined) {
    // Whoever may not ask has been told so above.
    if (refusedToRead.some((subject) => subject.includes(".STREAM.INFO."))) return checks;
    const text = `there is no ${name}; an ingestor of the venue makes it where streamLog.kind is jetstream`;
    return [...checks, check("fail", "stream", text)];
  }
  checks.push(checkSubjects(examined, stream), checkKeeping(stream));
  checks.push(checkStorage(stream, settings), checkLimits(stream, settings));
  checks.push(checkOtherLimits(stream), checkContent(stream, nowUs));
  return checks;
}

/** An ingestor needs to make the stream and a gateway to read it; nobody needs both. */
function checkRights({ refusedToRead, refusedToMake }: StreamExamination): readonly Check[] {
  const [mayRead, mayMake] = [refusedToRead.length === 0, refusedToMake.length === 0];
  if (mayRead && mayMake) return [check("ok", "rights", "we may read the stream and make it")];
  if (mayRead) return [check("ok", "rights", "we may read the stream, as gateways have to")];
  if (mayMake) return [check("ok", "rights", "we may make the stream, as ingestors have to")];
  const lacking = (what: string, subjects: readonly string[]): Check =>
    check("fail", "rights", `${what}, allow publish on ${subjects.join(", ")}`);
  return [
    lacking("for a gateway, which reads", refusedToRead),
    lacking("for an ingestor, which makes it", refusedToMake),
  ];
}

function checkSubjects({ name, pattern }: StreamExamination, { subjects }: StreamFacts): Check {
  const list = subjects.join(", ");
  if (!subjects.includes(pattern)) {
    const text = `it takes ${list || "nothing"} and not ${pattern}; start an ingestor of the venue, which mends it`;
    return check("fail", "subjects", text);
  }
  if (subjects.length === 1) return check("ok", "subjects", `${name} takes ${list}`);
  return check("warn", "subjects", `it takes ${list}: what is besides ${pattern} fills it as well`);
}

function checkKeeping(stream: StreamFacts): Check {
  const { retention, discard, duplicateWindowMs, isSealed, allowsDirect } = stream;
  const window = `duplicates of ${duplicateWindowMs / 1_000} s (messages have no id, so there are none)`;
  if (isSealed) return check("fail", "keeping", "it is sealed and takes nothing; make it anew");
  if (retention !== "limits") {
    const text = `retention is ${retention}, which takes out what was read; it has to be limits: make it anew`;
    return check("fail", "keeping", text);
  }
  if (discard !== "old") {
    const text = `discard is ${discard}: when it is full it takes nothing new; start an ingestor, which mends it`;
    return check("fail", "keeping", text);
  }
  if (!allowsDirect) {
    const text =
      "allow_direct is off, so gateways cannot read it; start an ingestor, which mends it";
    return check("fail", "keeping", text);
  }
  return check("ok", "keeping", `retention limits, the oldest go first, read directly, ${window}`);
}

function checkStorage({ storage, replicas }: StreamFacts, wanted: StreamSettings): Check {
  if (storage !== wanted.storage) {
    const text = `it is kept in ${storage}, and ${wanted.storage} is wanted: remove it, and an ingestor makes it so`;
    return check("warn", "storage", text);
  }
  const copies = replicas === 1 ? "one copy" : `${replicas} copies`;
  if (replicas !== wanted.replicas) {
    const text = `${storage}, ${copies}, and replicas ${wanted.replicas} is wanted: an ingestor changes it at its start`;
    return check("warn", "storage", text);
  }
  if (storage === "memory" && replicas === 1) {
    return check("warn", "storage", "memory, one copy: a server that is started anew has nothing");
  }
  // No client can see the setting, so it can only be said.
  const loss =
    replicas === 1
      ? "; power that fails takes what the server has not written: up to 2 minutes, or its sync_interval"
      : "";
  return check("ok", "storage", `${storage}, ${copies}${loss}`);
}

function checkLimits({ bytesMax, ageMsMax }: StreamFacts, wanted: StreamSettings): Check {
  const text = `${sizeText(bytesMax)}, ${ageText(ageMsMax)}`;
  if (bytesMax === wanted.bytesMax && ageMsMax === wanted.ageMsMax)
    return check("ok", "limits", text);
  const want = `${sizeText(wanted.bytesMax)}, ${ageText(wanted.ageMsMax)}`;
  return check(
    "warn",
    "limits",
    `${text}, and ${want} is wanted: an ingestor changes it at its start`,
  );
}

/** Limits that we never set cut topics off where nobody expects it. */
function checkOtherLimits(stream: StreamFacts): Check {
  const { entriesMax, entriesPerSubjectMax, entryBytesMax } = stream;
  const set = Object.entries({
    max_msgs: entriesMax,
    max_msgs_per_subject: entriesPerSubjectMax,
    max_msg_size: entryBytesMax,
  }).filter(([, limit]) => limit > 0);
  if (set.length === 0) return check("ok", "other limits", "none");
  const list = set.map(([key, limit]) => `${key} ${limit}`).join(", ");
  return check(
    "warn",
    "other limits",
    `${list}: set by somebody else, and cuts topics off; unset it`,
  );
}

function checkContent({ entries, bytes, oldestTimeUs }: StreamFacts, nowUs: number): Check {
  if (entries === 0) {
    return check("warn", "content", "nothing: no ingestor has published since it was made");
  }
  const ageMs = Math.max(0, (nowUs - oldestTimeUs) / 1_000);
  return check("ok", "content", `${entries} batches, ${sizeText(bytes)}, back ${ageText(ageMs)}`);
}

function sizeText(bytes: number): string {
  if (bytes < 0) return "any size";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [size, unit] = [bytes, 0];
  while (size >= 1_024 && unit < units.length - 1) [size, unit] = [size / 1_024, unit + 1];
  return `${Number(size.toFixed(1))} ${units[unit]}`;
}

function ageText(ms: number): string {
  if (ms <= 0) return "any age";
  const seconds = ms / 1_000;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3_600)} h`;
}
