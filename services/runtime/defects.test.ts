import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { endOnDefect } from "./defects.ts";
import { createLogger } from "./logger.ts";

test("an error that nobody caught is one line in the log, then the process fails", () => {
  const happened: string[] = [];
  const source = new EventEmitter();
  endOnDefect({
    source,
    logger: createLogger({ level: "error", service: "s", write: (line) => happened.push(line) }),
    exit: (code) => happened.push(`exit ${code}`),
  });
  source.emit("uncaughtException", new TypeError("no such thing"));
  expect(happened).toHaveLength(2);
  expect(JSON.parse(happened[0] ?? "")).toMatchObject({
    level: "error",
    msg: "a bug in Tickwire ends the process",
    error: { name: "TypeError", message: "no such thing" },
  });
  expect(happened[1]).toBe("exit 1");
});
