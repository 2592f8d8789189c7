import type { ReplayResponse } from "@tickwire/proto/service";
import { RpcError } from "./rpc-error.ts";

/** This gateway keeps no history, and says so. */
// oxlint-disable-next-line require-yield -- there is nothing to yield
export async function* replay(): AsyncGenerator<ReplayResponse> {
  throw new RpcError(
    "unimplemented",
    "nothing is replayed here; GetTrades and GetCandles have the recent past",
  );
}
