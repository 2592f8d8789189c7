import { createConnect, createSession, type BaseConnectOptions } from "../connect.ts";
import type { Environment } from "../host/environment.ts";
import type { ClientSession } from "../session/client-session.ts";
import { Consumer } from "../topics/consumer.ts";
import { withTopics, type OwnTopics } from "../topics/own-topics.ts";
import { TICK_CHANNELS } from "../topics/tick-channels.ts";
import { WEB_SOCKET_BREAKS_MAX } from "../transports/transport-choice.ts";
import { HandedSocket } from "./handed-socket.ts";
import type { Attachment, Opened, Past, Whole } from "./opened.ts";

/**
 * `connect()` without an opening, for options that it does not know, and where it got nowhere: if
 * its WebSocket was silent, what else there is is tried first.
 */
export function createWholeConnect<Options extends BaseConnectOptions, Client>(
  createClient: (session: ClientSession, options: Options) => Client,
  wasSilent: boolean,
) {
  return createConnect<Options, Client>(
    (session, options) => createClient(withTopics(session, TICK_CHANNELS), options),
    undefined,
    wasSilent ? WEB_SOCKET_BREAKS_MAX : 0,
  );
}

/**
 * Takes over from an opening. It repeats what has happened, from the first frame on, with nobody
 * told, so that it stands where it would stand if it had been there from the start: by what it is
 * held to, which is that it wants to send what went out, byte by byte. Otherwise the connection is
 * given up, and the next one resumes.
 */
export function takeOver(opened: Opened): Whole {
  const { url, options, channels, hiddenIntervalMs } = opened;
  const socket = new HandedSocket(opened.socket, opened.sent);
  const handing = environmentOf(opened, socket);
  const session = withTopics(createSession(url, options, handing), TICK_CHANNELS);
  const topics = session.openTopics(channels, hiddenIntervalMs);
  session.start();
  socket.open();
  const settle = repeat(opened.past, socket, topics);
  const isSame = socket.goLive();
  settle();
  return {
    session,
    topics,
    goOn: (waiting, end) => socket.goOn(isSame, waiting, end),
  };
}

/** The environment whose first socket is this one, and which says what it has said. */
function environmentOf({ environment, isVisible }: Opened, socket: HandedSocket): Environment {
  return {
    ...environment,
    openWebSocket: socket.openedFirst(environment),
    watchVisibility(listener) {
      if (!isVisible) listener(false);
      return environment.watchVisibility(listener);
    },
  };
}

/** The result lets everybody be told again, and gives up what nobody wants any more. */
function repeat(past: Past, socket: HandedSocket, topics: OwnTopics): () => void {
  const unmute: (() => void)[] = [];
  for (const step of past) {
    if (step instanceof Uint8Array) {
      socket.deliver(step);
      continue;
    }
    for (const attachment of step) unmute.push(attachMuted(attachment, topics));
    topics.flush();
  }
  return () => {
    for (const each of unmute) each();
  };
}

function attachMuted({ topics, options, consumer, release }: Attachment, own: OwnTopics) {
  if (!consumer.closed) {
    own.attach(topics, options, consumer, release);
    return consumer.mute();
  }
  // It has left since, and what it asked for is to be given up.
  const absent = new Consumer(topics, { end: () => undefined });
  own.attach(topics, options, absent, () => undefined);
  return () => absent.close(undefined);
}
