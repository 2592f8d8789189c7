import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { createRingMemory } from "#bus/threads/byte-ring.ts";
import type { BusHost } from "#bus/threads/bus-host.ts";
import type { ThreadLink } from "#bus/threads/thread-bus.ts";
import type { Bus } from "#bus/bus.ts";

const RING_BYTES = 1024 * 1024;

/** Both ends of what connects a thread with the one that has the bus; here one thread has both. */
export function createThreadLink(
  bus: Bus,
  ringBytes = RING_BYTES,
): { readonly host: Parameters<BusHost["attach"]>[0]; readonly thread: ThreadLink } {
  const memory = createRingMemory(ringBytes);
  const requests = new MessageChannel();
  const objects = new MessageChannel();
  const { kind: busKind, payloadBytesMax } = bus;
  const takeObject = (): unknown =>
    (receiveMessageOnPort(objects.port2) as { message: unknown } | undefined)?.message;
  return {
    host: { memory, port: requests.port1, objects: objects.port1 },
    thread: { busKind, payloadBytesMax, memory, port: requests.port2, takeObject },
  };
}
