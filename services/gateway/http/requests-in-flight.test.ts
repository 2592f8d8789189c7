import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import type {
  HttpRequest,
  HttpResponse,
  HttpStream,
  HttpStreamHandler,
  HttpWriter,
} from "../transport/transport.ts";
import { RequestsInFlight } from "./requests-in-flight.ts";

let clock: ManualClock;
let isDraining: boolean;
let done: number;
let requests: RequestsInFlight;
let client: AbortController;

beforeEach(() => {
  clock = new ManualClock();
  isDraining = true;
  done = 0;
  client = new AbortController();
  const onDone = (): void => {
    done += 1;
  };
  requests = new RequestsInFlight({ clock, isDraining: () => isDraining, onDone });
});

const answerOf = (body: HttpResponse["body"]): HttpResponse => ({ status: 200, headers: {}, body });
const stream: HttpStream = { open: () => ({ onDrain: () => {}, onClose: () => {} }) };
const writer = {} as HttpWriter;

function ask(answer: HttpResponse, method = "POST"): Promise<HttpResponse> {
  const request = { method, signal: client.signal } as HttpRequest;
  return requests.track(request, () => Promise.resolve(answer));
}

function open(answer: HttpResponse): HttpStreamHandler {
  return (answer.body as HttpStream).open(writer);
}

describe("requests in flight", () => {
  test("count from when they are asked", async () => {
    isDraining = false;
    const asked = ask(answerOf("text"));
    expect(requests.count).toBe(1);
    await asked;
    expect([requests.count, done, clock.pending]).toEqual([0, 1, 0]);
  });

  test("count in a drain for a while after their answer, which still has to leave", async () => {
    await ask(answerOf("text"));
    clock.advance(249);
    expect([requests.count, done]).toEqual([1, 0]);
    clock.advance(1);
    expect([requests.count, done]).toEqual([0, 1]);
  });

  test.each([true, false])("count until a stream is closed, whole: %s", async (whole) => {
    const handler = open(await ask(answerOf(stream)));
    expect(requests.count).toBe(1);
    handler.onClose(whole);
    client.abort();
    expect([requests.count, done]).toEqual([0, 1]);
  });

  test("do not count on a client that goes before its stream begins", async () => {
    await ask(answerOf(stream));
    client.abort();
    expect([requests.count, done]).toEqual([0, 1]);
  });

  test("do not count on a client that has gone before its answer", async () => {
    client.abort();
    await ask(answerOf(stream));
    expect([requests.count, done]).toEqual([0, 1]);
  });

  test("count a stream that HEAD asks about as an answer without a body", async () => {
    await ask(answerOf(stream), "HEAD");
    clock.advance(250);
    expect([requests.count, done]).toEqual([0, 1]);
  });
});
