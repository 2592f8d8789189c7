import { connect, type Client } from "@tickwire/client";
import {
  MarketData,
  messageFromJson,
  messageToJson,
  type MessageCodec,
} from "@tickwire/proto/service";
import type { CallTarget } from "./call-over-http.ts";
import { CommandError, describeError, UsageError } from "../process/errors.ts";
import { webSocketAddress } from "../process/gateway-address.ts";

type Methods = typeof MarketData.methods;
type Method = Methods[keyof Methods];

/** A typed method seen from code that does not know which one it is. */
type AnyMethod = (
  request: unknown,
  options: { readonly timeoutMs: number },
) => Promise<unknown> | AsyncIterable<unknown>;

/**
 * One RPC over the client's WebSocket; `onAnswer` gets each answer as the same JSON that HTTP
 * gives. Rejects with `CommandError`, whose message begins with the code.
 */
export async function callOverSocket(
  method: Method,
  request: unknown,
  {
    address,
    timeoutMs,
    secret,
    onAnswer,
  }: CallTarget & { readonly onAnswer: (json: unknown) => void },
): Promise<void> {
  const message = parseMessage(method, request);
  const client = await connectTo(webSocketAddress(address), timeoutMs, secret);
  const codec = method.response as MessageCodec<unknown>;
  try {
    const call = client.rpcMessages[keyOf(method)] as unknown as AnyMethod;
    const answered = call(message, { timeoutMs });
    if (!(Symbol.asyncIterator in answered)) {
      onAnswer(messageToJson(codec, (await answered) as never));
      return;
    }
    for await (const answer of answered) onAnswer(messageToJson(codec, answer as never));
  } catch (error) {
    throw new CommandError(describeError(error), { cause: error });
  } finally {
    client.close();
  }
}

function parseMessage(method: Method, request: unknown): unknown {
  try {
    return messageFromJson(method.request as MessageCodec<unknown>, request);
  } catch (error) {
    throw new UsageError(`invalid-argument: ${describeError(error)}`);
  }
}

async function connectTo(
  url: string,
  timeoutMs: number,
  token: string | undefined,
): Promise<Client> {
  const clientName = "tickwire-cli";
  try {
    return await connect(url, { clientName, connectTimeoutMs: timeoutMs, token });
  } catch (error) {
    throw new CommandError(describeError(error), { cause: error });
  }
}

/** The name under which the typed client has a method. */
function keyOf(method: Method): keyof Methods {
  const keys = Object.keys(MarketData.methods) as (keyof Methods)[];
  const key = keys.find((candidate) => MarketData.methods[candidate].name === method.name);
  if (key === undefined) throw new UsageError(`there is no method ${method.name}`);
  return key;
}
