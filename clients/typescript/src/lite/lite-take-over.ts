import type { BareEnvironment } from "../host/environment.ts";
import { watchNetwork } from "../host/page-events.ts";
import { HandedSocket } from "../opening/handed-socket.ts";
import { connectLite } from "./lite-client.ts";
import { LiteCore } from "./lite-core.ts";
import type { LiteClient } from "./lite-face.ts";
import type { LiteConnectOptions } from "./lite-options.ts";
import type { LiteAttachment, LiteOpened, LiteWhole } from "./lite-session.ts";

/** As `connectLite`, for what an opening does not know, and where it got nowhere. */
export function connectWhole(
  url: string,
  options: LiteConnectOptions,
  environment: BareEnvironment,
): Promise<LiteClient> {
  return connectLite(url, options, { watchNetwork, ...environment });
}

/**
 * Takes over from an opening, as `takeOver` does for the whole client: it repeats what has happened
 * with nobody told, and is held to what went out, byte by byte. If it wants to send anything else,
 * the connection is given up, and the next one resumes.
 */
export function takeOverLite({ environment, ...opened }: LiteOpened): LiteWhole {
  const socket = new HandedSocket(opened.socket, opened.sent);
  const openWebSocket = socket.openedFirst(environment);
  const handing = { watchNetwork, ...environment, openWebSocket };
  const core = new LiteCore(opened.url, opened.options, handing);
  socket.open();
  const unmute: (() => void)[] = [];
  for (const step of opened.past) {
    if (step instanceof Uint8Array) {
      socket.deliver(step);
      continue;
    }
    for (const attachment of step) unmute.push(attachMuted(attachment, core));
    core.flush();
  }
  const isSame = socket.goLive();
  for (const each of unmute) each();
  return {
    session: core,
    goOn: (waiting, end) => socket.goOn(isSame, waiting, end),
  };
}

/** The result lets it be told again, or gives up what it wanted if it has left since. */
function attachMuted({ topics, wish, consumer }: LiteAttachment, core: LiteCore): () => void {
  const { event, notice } = consumer;
  consumer.event = consumer.notice = () => undefined;
  core.attach(topics, wish, consumer);
  return () => {
    consumer.event = event;
    consumer.notice = notice;
    if (consumer.closed) core.detach(topics, consumer);
  };
}
