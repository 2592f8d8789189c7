import { once } from "node:events";
import { request } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";

/** One event of a text stream, read without any of our code. */
export type TextEvent = {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** The last id so far, as an EventSource has it. */
  readonly lastEventId: string;
};

/** Reads Server-Sent Events by the rules of the HTML standard. */
class SseReader {
  readonly events: TextEvent[] = [];
  comments = 0;
  retryMs: number | undefined;
  lastEventId = "";
  #rest = "";
  #id = "";
  #name = "";
  #data: string[] = [];

  read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#readLine(line);
  }

  #readLine(line: string): void {
    if (line === "") {
      this.lastEventId = this.#id;
      if (this.#data.length > 0) {
        const data = JSON.parse(this.#data.join("\n")) as TextEvent["data"];
        const name = this.#name === "" ? "message" : this.#name;
        this.events.push({ name, data, lastEventId: this.lastEventId });
      }
      this.#data = [];
      this.#name = "";
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.comments += 1;
      return;
    }
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#name = value;
    else if (field === "id") this.#id = value;
    else if (field === "retry") this.retryMs = Number(value);
  }
}

/** A client of `/v1/sse` as curl is one. */
export class SseClient {
  readonly reader = new SseReader();
  readonly response: IncomingMessage;
  readonly #request: ClientRequest;
  isOver = false;
  #wakes: (() => void)[] = [];

  private constructor(asked: ClientRequest, response: IncomingMessage) {
    this.#request = asked;
    this.response = response;
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      this.reader.read(text);
      this.#wake();
    });
    response.on("error", () => undefined);
    response.on("close", () => {
      this.isOver = true;
      this.#wake();
    });
  }

  static async open(
    url: string,
    headers: Readonly<Record<string, string>> = {},
    body?: object,
  ): Promise<SseClient> {
    const method = body === undefined ? "GET" : "POST";
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const asked = request(url, { method, headers: { ...type, ...headers }, agent: false });
    asked.on("error", () => undefined);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    return new SseClient(asked, response);
  }

  get events(): readonly TextEvent[] {
    return this.reader.events;
  }

  named(name: string): TextEvent["data"][] {
    return this.events.filter((event) => event.name === name).map(({ data }) => data);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.isOver) throw new Error("the stream is over");
      await new Promise<void>((wake) => this.#wakes.push(wake));
    }
  }

  async over(): Promise<void> {
    while (!this.isOver) await new Promise<void>((wake) => this.#wakes.push(wake));
  }

  close(): void {
    this.#request.destroy();
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}

/** What one poll was answered with. */
export type PolledAnswer = {
  readonly status: number;
  readonly text: string;
  readonly cursor: string;
  readonly events: readonly { readonly event: string; readonly data: TextEvent["data"] }[];
};

/** One request to `/v1/poll`. */
export async function poll(
  base: string,
  query: Readonly<Record<string, string>>,
): Promise<PolledAnswer> {
  const answer = await fetch(`${base}/v1/poll?${new URLSearchParams(query).toString()}`);
  const text = await answer.text();
  const { cursor = "", events = [] } = JSON.parse(text) as Partial<PolledAnswer>;
  return { status: answer.status, text, cursor, events };
}

/** The sequences that data events of a topic carry, states left out. */
export function sequencesOf(
  events: readonly { readonly name: string; readonly data: TextEvent["data"] }[],
  topic: string,
): number[] {
  return events
    .filter(({ name, data }) => data["topic"] === topic && name !== "snapshot")
    .flatMap(({ data }) => (data["events"] ?? []) as { readonly sequence: number }[])
    .map(({ sequence }) => sequence);
}
