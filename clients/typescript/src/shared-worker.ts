/**
 * One connection for all tabs of a page.
 *
 * @module @tickwire/client/shared-worker
 */
export { connectShared } from "./shared-worker/connect-shared.ts";
export type { SharedConnectOptions } from "./shared-worker/connect-shared.ts";
export type { Client } from "./client.ts";
