import type { Worker } from "node:worker_threads";

/** Numbers of what a thread is asked. */
const [ENABLE, PAUSE, EVALUATE, RESUME] = [1, 2, 3, 4];

/** What a thread answers, or tells by itself. */
type Told = {
  readonly id?: number;
  readonly method?: string;
  readonly result?: { readonly exceptionDetails?: unknown };
};

/**
 * Ends a thread whose event loop does not turn. To end it while it has sockets of uWebSockets.js
 * would end the process, and only the thread itself can close these. So it is stopped where it is,
 * as by a debugger, which works in a loop that never ends and in one that waits; what it does when
 * it exits is done there, and then it is ended. A thread that is held up in native code stops when
 * it comes back from there.
 */
export async function cutThread(worker: Worker): Promise<void> {
  const inspector = await import("node:inspector").catch(() => undefined);
  // Not every Node has one.
  if (inspector === undefined) return;
  const session = new inspector.Session();
  // Their numbers are of the session; what a thread is told by is its title.
  const title = `[worker ${worker.threadId}]`;
  session.connect();
  worker.once("exit", () => session.disconnect());
  session.on("NodeWorker.attachedToWorker", ({ params }) => {
    if (!params.workerInfo.title.startsWith(title)) return;
    const { sessionId } = params;
    const ask = (id: number, method: string, asked: object = {}): void => {
      const message = JSON.stringify({ id, method, params: asked });
      session.post("NodeWorker.sendMessageToWorker", { sessionId, message });
    };
    session.on("NodeWorker.receivedMessageFromWorker", ({ params: { sessionId: of, message } }) => {
      if (of !== sessionId) return;
      const { id, method, result } = JSON.parse(message) as Told;
      if (method === "Debugger.paused") {
        ask(EVALUATE, "Runtime.evaluate", { expression: 'process.emit("exit", 1)' });
      }
      if (id !== EVALUATE) return;
      // With sockets that are still open it would take the process with it.
      if (result?.exceptionDetails === undefined) void worker.terminate();
      ask(RESUME, "Debugger.resume");
    });
    ask(ENABLE, "Debugger.enable");
    ask(PAUSE, "Debugger.pause");
  });
  session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
}
