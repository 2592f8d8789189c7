import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Counter, Registry } from "prom-client";
import { OwnHosts } from "#core/host-name.ts";
import type { ServiceState } from "#core/state-page.ts";
import { adminAccess } from "./admin-access.ts";
import type { AdminProof } from "./admin-access.ts";
import { registerStateRefusals } from "./metrics.ts";
import { answerState } from "./state-answer.ts";

type AdminServerOptions = AdminProof & {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Names that it is reached as, besides `host` and loopback; `*` takes any. */
  readonly hosts: readonly string[];
  readonly metrics: Registry;
  /** More of them, as text; with names that the registry does not have. */
  readonly moreMetrics?: (() => Promise<string>) | undefined;
  /** Why the process cannot do its work now; empty if it can. */
  readonly notReadyReasons: () => readonly string[];
  /** What the services of the process show of themselves; none before they have started. */
  readonly services: () => readonly ServiceState[];
  /** What operators may have the process do, by the name behind `/admin/`. */
  readonly commands?: ReadonlyMap<string, AdminCommand> | undefined;
  /** What the process says of itself. */
  readonly describeProcess: () => object;
  /** A bug that showed while the state was read. Its message reaches nobody else. */
  readonly onError: (error: unknown) => void;
};

/** Something that an operator sees and changes: GET shows it, POST with JSON changes it. */
export type AdminCommand = {
  /** What it is now. */
  show(): object;
  /** Does what is asked and shows what it is then; a text says what is wrong with the request. */
  run(asked: unknown): object | string;
};

export type AdminServer = {
  readonly port: number;
  /** Idempotent. */
  close(): Promise<void>;
};

/** A monitor asks now and then; whoever holds more connections than this is none. */
const CONNECTIONS_MAX = 64;

/** Answers about the state that are put together at once; whoever asks for more is told to wait. */
const STATE_ANSWERS_MAX = 8;

const STATE_PATH = "/admin/state";
const COMMAND_PATH = "/admin/";

/** No command needs more. */
const COMMAND_BYTES_MAX = 4_096;

/** How long a request may take to arrive. */
const REQUEST_MS_MAX = 5_000;

/**
 * Serves what operators and their monitors ask of any process, on an address of its own: `/healthz`
 * (the process answers), `/readyz` (it can do its work; 503 and the reasons if not), `/metrics` in
 * Prometheus' text format, and `/admin/state` for those who may see it. Rejects if it cannot
 * listen.
 */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const hosts = new OwnHosts(options.host, options.hosts);
  const state = new StateAnswers(options);
  const server = createServer((request, response) => {
    // A web page that had its own name pointed here (DNS rebinding) names that as the host.
    if (!hosts.has(request.headers.host)) {
      answer(response, 421, "this host is none of this server's; see admin.hosts\n");
      return;
    }
    const [path = "/", query = ""] = (request.url ?? "/").split("?", 2);
    const command = options.commands?.get(path.replace(COMMAND_PATH, ""));
    if (command !== undefined && path.startsWith(COMMAND_PATH)) {
      state.run(request, response, command);
      return;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("allow", "GET, HEAD");
      answer(response, 405, "method not allowed\n");
      return;
    }
    if (path === STATE_PATH || path.startsWith(`${STATE_PATH}/`)) {
      state.answer(request, response, { path: path.slice(STATE_PATH.length + 1), query });
      return;
    }
    answerPath(path, options, response);
  });
  server.headersTimeout = REQUEST_MS_MAX;
  server.requestTimeout = REQUEST_MS_MAX;
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    port,
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

function answerPath(path: string, options: AdminServerOptions, response: ServerResponse): void {
  switch (path) {
    case "/healthz":
      answer(response, 200, "ok\n");
      return;
    case "/readyz":
      answerReadiness(response, options.notReadyReasons());
      return;
    case "/metrics":
      metricsText(options).then(
        (text) => answer(response, 200, text, options.metrics.contentType),
        () => answer(response, 500, "metrics could not be collected\n"),
      );
      return;
    default:
      answer(response, 404, "not found; there are /healthz, /readyz, /metrics and /admin/state\n");
  }
}

async function metricsText({ metrics, moreMetrics }: AdminServerOptions): Promise<string> {
  const more = (await moreMetrics?.()) ?? "";
  const own = await metrics.metrics();
  return more === "" ? own : `${own}\n${more}`;
}

/** What stands behind /admin/state in a request. */
type Asked = { readonly path: string; readonly query: string };

/** Answers about the state of the process, a few at once, for those who may see it. */
class StateAnswers {
  readonly #options: AdminServerOptions;
  readonly #refused: Counter<"reason">;
  #inFlight = 0;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#refused = registerStateRefusals(options.metrics);
  }

  answer(request: IncomingMessage, response: ServerResponse, asked: Asked): void {
    this.#answer(request, response, asked).catch((error: unknown) => {
      this.#options.onError(error);
      answerJson(response, 500, { error: "the state could not be read; the log says why" });
    });
  }

  /** Shows or runs a command, for those who may see the state. */
  run(request: IncomingMessage, response: ServerResponse, command: AdminCommand): void {
    this.#run(request, response, command).catch((error: unknown) => {
      this.#options.onError(error);
      answerJson(response, 500, { error: "the command failed; the log says why" });
    });
  }

  async #run(
    request: IncomingMessage,
    response: ServerResponse,
    command: AdminCommand,
  ): Promise<void> {
    if (!(await this.#isAllowed(request, response))) return;
    if (request.method === "GET") {
      answerJson(response, 200, command.show());
      return;
    }
    if (request.method !== "POST") {
      response.setHeader("allow", "GET, POST");
      answerJson(response, 405, { error: "method not allowed" });
      return;
    }
    // A page of a browser cannot send this type elsewhere without asking first, and nobody answers.
    if (request.headers["content-type"]?.split(";", 1)[0] !== "application/json") {
      answerJson(response, 415, { error: "content-type must be application/json" });
      return;
    }
    const asked = await readJson(request);
    const done =
      asked === undefined ? "the body is no JSON, or too long" : command.run(asked.value);
    if (typeof done === "string") answerJson(response, 400, { error: done });
    else answerJson(response, 200, done);
  }

  /** False if the request was refused, and answered. */
  async #isAllowed(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const peerAddress = request.socket.remoteAddress;
    const access = await adminAccess({ headers: request.headers, peerAddress }, this.#options);
    if (access.kind !== "refused") return true;
    this.#refused.inc({ reason: access.reason });
    if (access.status === 401) response.setHeader("www-authenticate", "Bearer");
    answerJson(response, access.status, { error: access.message });
    return false;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> {
    const { services, describeProcess } = this.#options;
    if (!(await this.#isAllowed(request, response))) return;
    if (this.#inFlight >= STATE_ANSWERS_MAX) {
      this.#refused.inc({ reason: "busy" });
      response.setHeader("retry-after", "1");
      answerJson(response, 503, { error: `${STATE_ANSWERS_MAX} answers are under way already` });
      return;
    }
    this.#inFlight += 1;
    try {
      const { path, query } = asked;
      const state = { path, query: new URLSearchParams(query) };
      const { status, body } = await answerState(state, services(), describeProcess());
      answerJson(response, status, body);
    } finally {
      this.#inFlight -= 1;
    }
  }
}

/** The JSON of a body; undefined if it is none, or longer than a command may be. */
async function readJson(
  request: IncomingMessage,
): Promise<{ readonly value: unknown } | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > COMMAND_BYTES_MAX) return undefined;
    chunks.push(chunk as Buffer);
  }
  try {
    return { value: JSON.parse(Buffer.concat(chunks).toString("utf8")) };
  } catch {
    return undefined;
  }
}

/** Nobody on the way may keep it, and no page of a browser may read it. */
function answerJson(response: ServerResponse, status: number, body: object): void {
  response.setHeader("cache-control", "no-store");
  answer(response, status, `${JSON.stringify(body)}\n`, "application/json");
}

function answerReadiness(response: ServerResponse, reasons: readonly string[]): void {
  const ready = reasons.length === 0;
  const body = `${JSON.stringify({ ready, reasons })}\n`;
  answer(response, ready ? 200 : 503, body, "application/json");
}

function answer(response: ServerResponse, status: number, body: string, type?: string): void {
  response.writeHead(status, { "content-type": type ?? "text/plain; charset=utf-8" });
  response.end(body);
}

function listen(server: Server, at: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at.port, at.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
