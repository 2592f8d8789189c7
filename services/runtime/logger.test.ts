import { expect, test } from "vitest";
import { createLogger, type LogLevel } from "./logger.ts";

function record(level: LogLevel = "info") {
  const lines: string[] = [];
  const logger = createLogger({ level, service: "test", write: (line) => lines.push(line) });
  const fields = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? "null");
  return { logger, lines, fields };
}

test("writes one JSON object a line with level, service, time and message", () => {
  const { logger, lines, fields } = record();
  logger.info({ venue: "binance" }, "connected");
  expect(lines).toHaveLength(1);
  expect(lines[0]?.endsWith("}\n")).toBe(true);
  expect(fields()).toMatchObject({
    level: "info",
    service: "test",
    venue: "binance",
    msg: "connected",
  });
  expect(fields()["time"]).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test("leaves out what is below the level", () => {
  const { logger, lines } = record("warn");
  logger.info({}, "not this");
  logger.warn({}, "this");
  expect(lines).toHaveLength(1);
});

test.each([
  "token",
  "authorization",
  "Authorization",
  "apiKey",
  "api_key",
  "password",
  "clientSecret",
])("never writes the value of a field named %s, at any level of nesting", (name) => {
  const { logger, lines } = record();
  logger.info({ [name]: "hunter2", request: { headers: { [name]: "hunter2" } } }, "request");
  expect(lines[0]).not.toContain("hunter2");
});

test("addresses lose user, password, query and fragment in fields, messages and errors", () => {
  const { logger, lines, fields } = record();
  const address = "wss://user:hunter2@example.org:443/ws?listenKey=hunter2#hunter2";
  logger.info(
    { url: address, list: [address], error: new Error(`no ${address}`, { cause: address }) },
    `dial ${address}`,
  );
  expect(lines[0]).not.toContain("hunter2");
  expect(lines[0]).not.toContain("user");
  expect(fields()).toMatchObject({
    url: "wss://example.org:443/ws",
    msg: "dial wss://example.org:443/ws",
  });
});

test("an at sign in a password does not keep part of it", () => {
  const { logger, fields } = record();
  logger.info({ url: "nats://a:b@c@127.0.0.1:4222" }, "connect");
  expect(fields()["url"]).toBe("nats://127.0.0.1:4222");
});

test("bearer tokens in text are cut out", () => {
  const { logger, lines } = record();
  logger.warn({ reply: "Bearer abc.def-123 was refused" }, "refused");
  expect(lines[0]).toContain("Bearer [redacted] was refused");
});

test("values that JSON cannot hold do not break a line", () => {
  const { logger, fields } = record();
  const loop: Record<string, unknown> = { big: 12345678901234567890n, bytes: new Uint8Array(3) };
  loop["self"] = loop;
  logger.info(loop, "odd");
  expect(fields()).toMatchObject({ big: "12345678901234567890", bytes: "[3 bytes]" });
});
