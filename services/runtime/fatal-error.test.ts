import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { endOnFatalError } from "./fatal-error.ts";
import { createLogger } from "./logger.ts";
import { ExitCode } from "./shutdown.ts";

test("an error that nothing handles is logged with its cause, and then ends the process", () => {
  const happened: unknown[] = [];
  const logger = createLogger({
    level: "info",
    service: "test",
    write: (line) => happened.push(JSON.parse(line)),
  });
  const source = new EventEmitter();
  endOnFatalError({ source, logger, exit: (code) => happened.push(code) });
  const error = new Error("a handler threw", { cause: new Error("sequences rise by 1") });
  source.emit("uncaughtException", error, "uncaughtException");
  expect(happened).toEqual([
    expect.objectContaining({
      level: "error",
      msg: "the process ends because of a bug in it",
      origin: "uncaughtException",
    }),
    ExitCode.Failure,
  ]);
  const line = JSON.stringify(happened[0]);
  expect(line).toContain("a handler threw");
  expect(line).toContain("sequences rise by 1");
});
