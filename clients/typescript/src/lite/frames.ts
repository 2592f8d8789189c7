import type { ClientClock } from "../host/environment.ts";
import { systemClock } from "../host/environment.ts";
import { nextFrame } from "../host/next-frame.ts";
import type { FrameUpdate } from "../streams/event-stream.ts";
import type { LiteStream } from "./lite-stream.ts";

/**
 * In place of a loop: calls back at most once for each frame that the page draws, with what came
 * since the last; once a second while the page is hidden, every 16 ms where nothing is drawn.
 * Resolves when the stream ends, or rejects with what ended it, and with TickwireError
 * `stream-consumed` where there is a loop already. What the callback throws rejects it too, and
 * closes the stream. `clock` is for tests.
 */
export async function onFrame<T extends { readonly topic: string }>(
  stream: LiteStream<T>,
  callback: (update: FrameUpdate<T>) => void,
  clock: ClientClock = systemClock,
): Promise<void> {
  for await (const first of stream) {
    await new Promise<void>((resolve) => {
      nextFrame(clock, resolve);
    });
    const events = [first];
    // What waits in the stream's buffer is there at once.
    while (stream.buffered > 0) {
      const { value } = await stream.next();
      if (value !== undefined) events.push(value);
    }
    callback({ events, latest: new Map(events.map((event) => [event.topic, event])) });
  }
}
