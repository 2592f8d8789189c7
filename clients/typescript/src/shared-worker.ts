export { connectShared } from "./shared-worker/connect-shared.ts";
export type { SharedConnectOptions } from "./shared-worker/connect-shared.ts";
export type { Client } from "./client.ts";
