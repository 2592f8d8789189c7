import { MarketData } from "@tickwire/proto/service";
import { Command } from "commander";
import { CommandError, UsageError } from "./errors.ts";
import { httpAddress } from "./gateway-address.ts";
import { parseSeconds } from "./parse-option.ts";
import { readInput } from "./read-input.ts";

const METHODS = Object.values(MarketData.methods);

/** A call that is not answered by then has failed. */
const TIMEOUT_SECONDS_DEFAULT = 10;

type CallOptions = { readonly url: string; readonly timeout: number };

/** `tickwire call METHOD [JSON]`: one RPC over HTTP, the answer as JSON on standard output. */
export function createCallCommand(): Command {
  return new Command("call")
    .summary("call an RPC of a gateway and print the answer as JSON")
    .description(
      `Calls an RPC of a gateway and prints the answer as JSON.\n\nMethods: ${METHODS.map(
        (method) => method.name,
      ).join(", ")}`,
    )
    .argument("<method>", "such as GetSnapshot")
    .argument("[json]", "the request; - reads it from standard input", "{}")
    .option("--url <url>", "gateway", "default")
    .option("--timeout <seconds>", "give up after this long", parseSeconds, TIMEOUT_SECONDS_DEFAULT)
    .addHelpText(
      "after",
      `
Examples:
  tickwire call GetServerTime
  tickwire call ListInstruments '{"venue":"simulated"}'
  tickwire call GetSnapshot '{"venue":"simulated","symbol":"BTC-USD","depth":5}'
  echo '{"venue":"simulated"}' | tickwire call GetStatus - --url http://127.0.0.1:8080`,
    )
    .action(async (method: string, json: string, options: CallOptions) => {
      const request = parseRequest(json === "-" ? await readInput(process.stdin) : json);
      const answer = await call(findMethod(method).path, request, options);
      process.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
    });
}

function findMethod(name: string): (typeof METHODS)[number] {
  const method = METHODS.find((one) => one.name === name || one.fullName === name);
  if (method === undefined) {
    const known = METHODS.map((one) => one.name).join(", ");
    throw new UsageError(`there is no method ${name}; there are ${known}`);
  }
  if (method.kind !== "unary") throw new UsageError(`${name} streams; call cannot do that yet`);
  return method;
}

function parseRequest(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UsageError(`the request is not JSON: ${(error as Error).message}`);
  }
}

async function call(path: string, request: unknown, options: CallOptions): Promise<unknown> {
  const base = httpAddress(options.url);
  const response = await post(base, path, request, options.timeout * 1000);
  const text = await response.text();
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new CommandError(`${base} answered ${response.status} and no JSON; is it a gateway?`);
  }
  if (!response.ok) throw new CommandError(describeFailure(answer, response.status));
  return answer;
}

async function post(
  base: string,
  path: string,
  request: unknown,
  timeoutMs: number,
): Promise<Response> {
  try {
    return await fetch(base + path, {
      method: "POST",
      headers: { "content-type": "application/json", "connect-protocol-version": "1" },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if (error instanceof Error && error.name === "TimeoutError") {
      throw new CommandError(`deadline_exceeded: no answer from ${base} within ${timeoutMs} ms`);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`unavailable: nothing answers at ${base}: ${reason}`, { cause });
  }
}

/** A Connect error has a code and a message. */
function describeFailure(answer: unknown, status: number): string {
  const { code, message } = (answer ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code !== "string") return `the gateway answered ${status}`;
  return typeof message === "string" && message !== "" ? `${code}: ${message}` : code;
}
