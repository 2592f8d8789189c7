import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Agent, get } from "node:http";
import type { IncomingMessage } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { HttpRequest, HttpStream, HttpWriter } from "#gateway/transport/transport.ts";
import { SendResult } from "#gateway/transport/transport.ts";
import { OPTIONS, TransportStand } from "./transport-stand.ts";
import type { CreateTransport } from "./transport-stand.ts";

/** A streamed body that a test drives, and what the transport told it. */
class Stream implements HttpStream {
  readonly closes: boolean[] = [];
  writer: HttpWriter | undefined;
  drains = 0;
  onOpen: (writer: HttpWriter) => void = () => {};
  onDrain: () => void = () => {};
  readonly #changed: (() => void)[] = [];

  open(writer: HttpWriter) {
    if (this.writer !== undefined) throw new Error("opened twice");
    this.writer = writer;
    this.onOpen(writer);
    this.#change();
    return {
      onDrain: () => {
        this.drains += 1;
        this.onDrain();
        this.#change();
      },
      onClose: (whole: boolean) => {
        this.closes.push(whole);
        this.#change();
      },
    };
  }

  /** Resolves when `condition` holds; checked after each thing that happens here. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((wake) => this.#changed.push(wake));
  }

  /** The writer, when the transport has opened the stream. */
  async opened(): Promise<HttpWriter> {
    await this.until(() => this.writer !== undefined);
    if (this.writer === undefined) throw new Error("not opened");
    return this.writer;
  }

  #change(): void {
    for (const wake of this.#changed.splice(0)) wake();
  }
}

/** A producer that keeps the rules: it writes while chunks go out whole, and waits for a drain. */
class Producer {
  written = 0;
  readonly #chunks: number;
  readonly #chunkBytes: number;

  constructor(stream: Stream, chunks: number, chunkBytes: number) {
    this.#chunks = chunks;
    this.#chunkBytes = chunkBytes;
    stream.onOpen = (writer) => this.#pump(writer);
    stream.onDrain = () => {
      if (stream.writer !== undefined) this.#pump(stream.writer);
    };
  }

  #pump(writer: HttpWriter): void {
    while (this.written < this.#chunks) {
      const result = writer.write(Buffer.alloc(this.#chunkBytes, this.written & 0xff));
      if (result === SendResult.Dropped) throw new Error("refused although it kept the rules");
      this.written += 1;
      if (result === SendResult.Buffered) return;
    }
    writer.end();
  }

  /** Resolves when it has stopped: nothing written for many turns. */
  async stopped(): Promise<void> {
    for (let before = -1; before !== this.written;) {
      before = this.written;
      for (let turn = 0; turn < 200; turn += 1) await nextTurn();
    }
  }
}

/** The head of the answer to a GET; its body is not read until somebody does. */
async function ask(url: string, agent?: Agent): Promise<IncomingMessage> {
  const request = get(url, agent === undefined ? {} : { agent });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.on("error", () => {});
  return response;
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What both transports promise of a body that is made while it is sent. */
export function transportStreamSuite(name: string, create: CreateTransport): void {
  describe(`${name} transport, streamed bodies`, () => {
    const stand = new TransportStand(create);
    afterEach(() => stand.stop());

    async function serve(stream: Stream, overrides: Partial<typeof OPTIONS> = {}) {
      const started = await stand.start(overrides);
      started.recorder.answer = () =>
        Promise.resolve({ status: 200, headers: { "content-type": "text/x" }, body: stream });
      const signal = () => (started.recorder.requests[0] as HttpRequest).signal;
      return { ...started, signal };
    }

    test("carries chunks as they come, with status and headers, and ends", async () => {
      const stream = new Stream();
      const { url } = await serve(stream);
      const asked = fetch(url);
      const writer = await stream.opened();
      const scratch = Buffer.from("one,");
      expect(writer.write(scratch)).not.toBe(SendResult.Dropped);
      scratch.fill(0);
      const response = await asked;
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("text/x");
      expect(response.headers.has("content-length")).toBe(false);
      expect(writer.write(Buffer.alloc(0))).not.toBe(SendResult.Dropped);
      writer.write(Buffer.from("two"));
      writer.end();
      expect(writer.write(Buffer.from("late"))).toBe(SendResult.Dropped);
      writer.end();
      writer.abort();
      expect(await response.text()).toBe("one,two");
      await stream.until(() => stream.closes.length > 0);
      expect(stream.closes).toEqual([true]);
    });

    test("an empty stream is an empty body, also if it ends while it is opened", async () => {
      const stream = new Stream();
      stream.onOpen = (writer) => writer.end();
      const { url } = await serve(stream);
      const response = await fetch(url);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
      await stream.until(() => stream.closes.length > 0);
      expect(stream.closes).toEqual([true]);
    });

    test("a reader that stops stops the producer, and gets every byte when it goes on", async () => {
      const stream = new Stream();
      const chunks = 1_000;
      const producer = new Producer(stream, chunks, 64 * 1024);
      const { url } = await serve(stream);
      const response = await ask(url);
      await producer.stopped();
      expect(producer.written).toBeLessThan(chunks);
      const writer = await stream.opened();
      expect(writer.bufferedBytes()).toBeGreaterThan(0);
      expect(writer.bufferedBytes()).toBeLessThanOrEqual(OPTIONS.bufferedBytesMax);
      const body = await readAll(response);
      expect(body.length).toBe(chunks * 64 * 1024);
      const firstBytes = Array.from({ length: chunks }, (_, index) => body[index * 64 * 1024]);
      expect(firstBytes).toEqual(Array.from({ length: chunks }, (_, index) => index & 0xff));
      expect(stream.drains).toBeGreaterThan(0);
      await stream.until(() => stream.closes.length > 0);
      expect(stream.closes).toEqual([true]);
    });

    test.each([1_000, 16 * 1024, 300_000])(
      "a producer that never waits is refused at bufferedBytesMax; chunks of %i bytes",
      async (chunkBytes) => {
        const stream = new Stream();
        const { url } = await serve(stream);
        const asked = ask(url);
        const writer = await stream.opened();
        let accepted = 0;
        for (;;) {
          const result = writer.write(Buffer.alloc(chunkBytes, accepted & 0xff));
          expect(writer.bufferedBytes()).toBeLessThanOrEqual(OPTIONS.bufferedBytesMax);
          if (result === SendResult.Dropped) break;
          accepted += 1;
        }
        writer.end();
        const body = await readAll(await asked);
        expect(body.length).toBe(accepted * chunkBytes);
        for (let index = 0; index < accepted; index += 1) {
          expect(body[index * chunkBytes]).toBe(index & 0xff);
          expect(body[(index + 1) * chunkBytes - 1]).toBe(index & 0xff);
        }
        await stream.until(() => stream.closes.length > 0);
        expect(stream.closes).toEqual([true]);
      },
    );

    test("takes a chunk at bufferedBytesMax and refuses one above it", async () => {
      const stream = new Stream();
      const { url } = await serve(stream, { bufferedBytesMax: 100_000 });
      const asked = fetch(url);
      const writer = await stream.opened();
      expect(writer.write(Buffer.alloc(100_001))).toBe(SendResult.Dropped);
      expect(writer.write(Buffer.alloc(100_000))).not.toBe(SendResult.Dropped);
      writer.end();
      expect((await (await asked).arrayBuffer()).byteLength).toBe(100_000);
    });

    test("a client that goes away ends the stream, once, and late calls are safe", async () => {
      const stream = new Stream();
      const { url, signal } = await serve(stream);
      const asked = ask(url);
      const writer = await stream.opened();
      writer.write(Buffer.from("hello"));
      (await asked).destroy();
      await stream.until(() => stream.closes.length > 0);
      expect(stream.closes).toEqual([false]);
      expect(signal().aborted).toBe(true);
      expect(writer.write(Buffer.from("x"))).toBe(SendResult.Dropped);
      expect(writer.bufferedBytes()).toBe(0);
      writer.end();
      writer.abort();
      await nextTurn();
      expect(stream.closes).toEqual([false]);
    });

    test("a client that goes away while bytes wait for it ends the stream", async () => {
      const stream = new Stream();
      const { url } = await serve(stream);
      const asked = ask(url);
      const writer = await stream.opened();
      while (writer.write(Buffer.alloc(64 * 1024)) !== SendResult.Dropped);
      (await asked).destroy();
      await stream.until(() => stream.closes.length > 0);
      expect(stream.closes).toEqual([false]);
      expect(writer.bufferedBytes()).toBe(0);
    });

    test("a stream that fails in the middle is seen as a broken body", async () => {
      const stream = new Stream();
      const { url, recorder } = await serve(stream);
      const asked = fetch(url);
      const writer = await stream.opened();
      writer.write(Buffer.from("half"));
      const response = await asked;
      writer.abort();
      writer.abort();
      expect(writer.write(Buffer.from("x"))).toBe(SendResult.Dropped);
      await expect(response.text()).rejects.toThrow("terminated");
      expect(stream.closes).toEqual([false]);
      recorder.answer = () => Promise.resolve({ status: 200, headers: {}, body: "next" });
      expect(await (await fetch(url)).text()).toBe("next");
    });

    test("is not opened for HEAD, nor for a client that has gone", async () => {
      const stream = new Stream();
      const { url, recorder } = await serve(stream);
      const head = await fetch(url, { method: "HEAD" });
      expect(head.status).toBe(200);
      expect(head.headers.get("content-type")).toBe("text/x");
      let release: () => void = () => {};
      const entered = new Promise<void>((resolve) => {
        recorder.answer = async () => {
          resolve();
          await new Promise<void>((go) => {
            release = go;
          });
          return { status: 200, headers: {}, body: stream };
        };
      });
      const controller = new AbortController();
      const gone = fetch(url, { signal: controller.signal }).catch(() => "gone");
      await entered;
      const signal = recorder.requests[1]?.signal;
      const aborted = new Promise((resolve) => signal?.addEventListener("abort", resolve));
      controller.abort();
      await aborted;
      release();
      expect(await gone).toBe("gone");
      await nextTurn();
      expect(stream.writer).toBeUndefined();
    });

    test("the connection serves on after a stream", async () => {
      const first = new Stream();
      const { url, recorder } = await serve(first);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (const stream of [first, new Stream()]) {
        recorder.answer = () => Promise.resolve({ status: 200, headers: {}, body: stream });
        const producer = new Producer(stream, 300, 10_000);
        const body = await readAll(await ask(url, agent));
        expect(body.length).toBe(3_000_000);
        expect(producer.written).toBe(300);
      }
      agent.destroy();
    });

    test("closing the transport ends its streams", async () => {
      const stream = new Stream();
      const { url, transport } = await serve(stream);
      const asked = ask(url).catch(() => "cut");
      await stream.opened();
      await transport.close();
      await stream.until(() => stream.closes.length > 0);
      expect(stream.closes).toEqual([false]);
      await asked;
    });
  });
}
