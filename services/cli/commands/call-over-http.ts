import { CommandError } from "../process/errors.ts";
import { httpAddress } from "../process/gateway-address.ts";

/** Where a call goes and how long it may take. */
export type CallTarget = {
  readonly address: string;
  readonly timeoutMs: number;
  /** API key or token. */
  readonly secret?: string | undefined;
};

/**
 * One RPC by POST in Connect's JSON form; the answer as JSON. Rejects with `CommandError`, whose
 * message begins with the code.
 */
export async function callOverHttp(
  method: { readonly path: string },
  request: unknown,
  { address, timeoutMs, secret }: CallTarget,
): Promise<unknown> {
  const base = httpAddress(address);
  const response = await post(base + method.path, request, { base, timeoutMs, secret });
  const text = await response.text();
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    const tried = `${base}${method.path}`;
    throw new CommandError(`${tried} answered ${response.status} and no JSON; is it a gateway?`);
  }
  if (!response.ok) throw new CommandError(describeFailure(answer, response.status));
  return answer;
}

async function post(
  url: string,
  request: unknown,
  { base, timeoutMs, secret }: Omit<CallTarget, "address"> & { readonly base: string },
): Promise<Response> {
  try {
    return await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "connect-protocol-version": "1",
        ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    if (error instanceof Error && error.name === "TimeoutError") {
      throw new CommandError(`deadline-exceeded: no answer from ${base} within ${timeoutMs} ms`);
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`unavailable: nothing answers at ${base}: ${reason}`, { cause });
  }
}

/** A Connect error has a code and a message; codes are written as the client writes them. */
function describeFailure(answer: unknown, status: number): string {
  const { code, message } = (answer ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code !== "string") return `the gateway answered ${status}`;
  const stable = code.replaceAll("_", "-");
  return typeof message === "string" && message !== "" ? `${stable}: ${message}` : stable;
}
