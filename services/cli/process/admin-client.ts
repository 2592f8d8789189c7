import type { z } from "zod";
import { CommandError, UsageError } from "./errors.ts";
import { LIST_SCHEMAS, totalsSchema } from "./admin-state.ts";
import type { TopState } from "../output/top-screen.ts";
import type { TopInput } from "../output/top-keys.ts";
import { quotedText } from "#core/visible-text.ts";

const ANSWER_MS_MAX = 10_000;
const STATE_PATH = "/admin/state";

/** Where the state of a process is read, and with what. */
export type AdminTarget = {
  /** Without a slash at its end. */
  readonly address: string;
  readonly secret: string | undefined;
};

type Chosen = Pick<TopInput, "sessionSort" | "topicSort" | "filter">;

/** The admin address as a user writes it. Throws UsageError. */
export function adminAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "") {
    throw new UsageError(
      `${quotedText(text)} is not the admin address of a process; write http://HOST:PORT`,
    );
  }
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
}

/** Reads what is shown, in one round of requests. Rejects with CommandError. */
export async function readTopState(
  target: AdminTarget,
  chosen: Chosen,
  rowsMax: number,
): Promise<TopState> {
  const totals = await read(target, "", new Map(), totalsSchema);
  const list = async <Name extends keyof typeof LIST_SCHEMAS>(
    name: Name,
    parameters: ReadonlyMap<string, string>,
  ): Promise<z.output<(typeof LIST_SCHEMAS)[Name]>["rows"]> => {
    type Page = z.output<(typeof LIST_SCHEMAS)[Name]>;
    if (!totals.lists.includes(name)) return [];
    const query = new Map([...parameters, ["limit", String(rowsMax)]]);
    const page = (await read(target, `/${name}`, query, LIST_SCHEMAS[name])) as Page;
    return page.rows;
  };
  const { sessions, topics, venues } = filterParameters(chosen);
  const [venueRows, publishers, feeds, derived, sessionRows, topicRows] = await Promise.all([
    list("venues", venues),
    list("publishers", venues),
    list("feeds", new Map([...venues, ["trouble", "yes"]])),
    list("derived", new Map()),
    list("sessions", sessions),
    list("topics", topics),
  ]);
  return {
    totals,
    venues: venueRows,
    publishers,
    feeds,
    derived,
    sessions: sessionRows,
    topics: topicRows,
  };
}

/** A filter is a topic if it has a slash, a session's id if it looks like one, else a venue. */
function filterParameters({ filter, sessionSort, topicSort }: Chosen) {
  const sessions = new Map([["sort", sessionSort as string]]);
  const topics = new Map([["sort", topicSort as string]]);
  const venues = new Map<string, string>();
  if (filter.includes("/")) {
    sessions.set("topic", filter);
    topics.set("topic", filter);
    venues.set("venue", filter.replace(/:.*$/s, ""));
  } else if (/-\d+$/.test(filter)) {
    sessions.set("session", filter);
  } else if (filter !== "") {
    topics.set("venue", filter);
    venues.set("venue", filter);
  }
  return { sessions, topics, venues };
}

async function read<Schema extends z.ZodType>(
  { address, secret }: AdminTarget,
  path: string,
  query: ReadonlyMap<string, string>,
  schema: Schema,
): Promise<z.output<Schema>> {
  const parameters = new URLSearchParams([...query]).toString();
  const url = `${address}${STATE_PATH}${path}${parameters === "" ? "" : `?${parameters}`}`;
  const headers = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    text = await response.text();
  } catch (error) {
    throw unreachable(address, error);
  }
  if (!response.ok) throw new CommandError(refusalOf(address, response.status, text));
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined ? "" : `: ${issue.path.join(".")} ${issue.message}`;
  throw new CommandError(
    `${address} answered something else than this version of tickwire expects${where}`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(address: string, error: unknown): CommandError {
  if (error instanceof Error && error.name === "TimeoutError") {
    return new CommandError(`no answer from ${address} within ${ANSWER_MS_MAX} ms`);
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CommandError(`nothing answers at ${address}: ${reason}`, { cause });
}

/** The process says why in a sentence; what to do about it, only we can say. */
function refusalOf(address: string, status: number, text: string): string {
  const body = jsonOf(text) as { readonly error?: unknown } | undefined;
  if (typeof body?.error !== "string") {
    return `${address} answered ${status}; is this the admin address of a process (9090 or 9091)?`;
  }
  const advice = new Map([
    [401, "; set TICKWIRE_ADMIN__SECRET or --secret-file"],
    [403, "; set admin.secret there, and TICKWIRE_ADMIN__SECRET here"],
  ]);
  return `${address} refused: ${body.error}${advice.get(status) ?? ""}`;
}
