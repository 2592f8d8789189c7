import { printJson, printLine } from "../output/terminal.ts";
import { MarketData } from "@tickwire/proto/service";
import { Command } from "commander";
import { callOverHttp } from "./call-over-http.ts";
import { callOverSocket } from "./call-over-socket.ts";
import { UsageError } from "../process/errors.ts";
import { addUrlOption, isWebSocketAddress } from "../process/gateway-address.ts";
import { addSecretOption, gatewaySecret } from "../process/gateway-secret.ts";
import { unknownText } from "#core/nearest.ts";
import { parseSeconds } from "../process/parse-option.ts";
import { readInput } from "../process/read-input.ts";

const METHODS = Object.values(MarketData.methods);

/** A call that is not answered by then has failed. */
const TIMEOUT_SECONDS_DEFAULT = 10;

type CallOptions = {
  readonly json?: boolean;
  readonly tokenFile?: string;
  readonly url: string;
  readonly timeout: number;
};

/** `tickwire call METHOD [JSON]`: one RPC, the answer as JSON on standard output. */
export function createCallCommand(): Command {
  const command = new Command("call")
    .description(
      `Calls an RPC of a gateway and prints the answer as JSON.\n\nMethods: ${METHODS.map(
        (method) => method.name,
      ).join(", ")}`,
    )
    .argument("<method>", "such as GetSnapshot")
    .argument("[json]", "the request; - reads it from standard input", "{}");
  return addSecretOption(addUrlOption(command))
    .option("--json", "print each answer on one line")
    .option("--timeout <seconds>", "give up after this long", parseSeconds, TIMEOUT_SECONDS_DEFAULT)
    .addHelpText(
      "after",
      `
An address with ws or wss is called over the socket, one with http or https by POST.

Examples:
  tickwire call GetServerTime
  tickwire call ListInstruments '{"venue":"simulated"}'
  tickwire call GetSnapshot '{"venue":"simulated","symbol":"BTC-USD","depth":5}'
  tickwire call GetServerTime --url ws://127.0.0.1:8080
  echo '{"venue":"simulated"}' | tickwire call GetStatus - --url http://127.0.0.1:8080`,
    )
    .action(async (method: string, json: string, options: CallOptions) => {
      const request = parseRequest(json === "-" ? await readInput(process.stdin) : json);
      const called = findMethod(method);
      const print = (answer: unknown): void =>
        options.json === true ? printLine(JSON.stringify(answer)) : printJson(answer);
      const secret = gatewaySecret(options.tokenFile, process.env);
      const target = { address: options.url, timeoutMs: options.timeout * 1000, secret };
      // Answers that stream come over the socket, whatever the address says.
      if (called.kind === "unary" && !isWebSocketAddress(options.url)) {
        print(await callOverHttp(called, request, target));
      } else {
        await callOverSocket(called, request, { ...target, onAnswer: print });
      }
    });
}

function findMethod(name: string): (typeof METHODS)[number] {
  const method = METHODS.find((one) => one.name === name || one.fullName === name);
  if (method === undefined) {
    const known = METHODS.map((one) => one.name);
    throw new UsageError(unknownText("method", { text: name, known }));
  }
  return method;
}

function parseRequest(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new UsageError(`the request is not JSON: ${(error as Error).message}`);
  }
}
