import {
  connect,
  type BookSnapshot,
  type Client,
  type ClientState,
  type EventStream,
  type FrameUpdate,
  type LiveBook,
  type Quote,
  type Trade,
} from "@tickwire/client";
import { inject, shallowRef, toValue, watchEffect } from "vue";
import type { App, InjectionKey, MaybeRefOrGetter, ShallowRef } from "vue";

/** Books come at most so often: nobody reads faster. */
const BOOK_INTERVAL_MS = 100;

type Gateway = {
  readonly client: ShallowRef<Client | undefined>;
  readonly state: ShallowRef<ClientState>;
};

const GATEWAY: InjectionKey<Gateway> = Symbol("gateway");

/**
 * A plugin that gives all components of an application one connection. It dials until the gateway
 * is there, and closes when the application is unmounted.
 */
export function createGateway(url: string) {
  return {
    install(app: App): void {
      const client = shallowRef<Client>();
      const state = shallowRef<ClientState>("connecting");
      const ended = new AbortController();
      connect(url, { clientName: "vue", waitForFirstConnect: true, signal: ended.signal }).then(
        (opened) => {
          if (ended.signal.aborted) return opened.close();
          opened.onState((next) => (state.value = next));
          state.value = opened.state;
          client.value = opened;
        },
        () => (state.value = "closed"),
      );
      app.onUnmount(() => {
        ended.abort();
        client.value?.close();
      });
      app.provide(GATEWAY, { client, state });
    },
  };
}

/** How the connection is. */
export function useConnectionState(): Readonly<ShallowRef<ClientState>> {
  return gatewayOf().state;
}

/** What there is of a topic: nothing yet, what was last drawn, or why nothing comes. */
type Live<View> = {
  readonly view: Readonly<ShallowRef<View | undefined>>;
  readonly error: Readonly<ShallowRef<Error | undefined>>;
};

/** The newest quote of an instrument, such as `binance:BTC-USDT`. */
export function useTicks(instrument: MaybeRefOrGetter<string>): Live<Quote> {
  return useStream((client) => client.quotes(toValue(instrument)), newestOf);
}

/** The last trades of an instrument, the newest one first. */
export function useTrades(
  instrument: MaybeRefOrGetter<string>,
  tradesMax: number,
): Live<readonly Trade[]> {
  return useStream(
    (client) => client.trades(toValue(instrument)),
    (before: readonly Trade[] | undefined, { events }) =>
      [...events.slice(-tradesMax).toReversed(), ...(before ?? [])].slice(0, tradesMax),
  );
}

/**
 * The best levels of a book. All components that show the same book have to ask for the same
 * depth, because a connection has a topic once.
 */
export function useBook(instrument: MaybeRefOrGetter<string>, depth: number): Live<BookSnapshot> {
  const options = { depth, conflationIntervalMs: BOOK_INTERVAL_MS };
  return useStream(
    (client) => client.book(toValue(instrument), options),
    // The client's book changes in place; what Vue compares has to be a copy that does not.
    (before: BookSnapshot | undefined, { events }: FrameUpdate<LiveBook>) =>
      events.at(-1)?.snapshot(depth) ?? before,
  );
}

function newestOf<Event>(before: Event | undefined, { events }: FrameUpdate<Event>) {
  return events.at(-1) ?? before;
}

/**
 * Keeps a stream open while the component is there, and changes what is drawn at most once a frame.
 * What `open` reads from refs decides which stream it is: when it changes, another one begins.
 */
function useStream<Event, View>(
  open: (client: Client) => EventStream<Event>,
  reduce: (before: View | undefined, update: FrameUpdate<Event>) => View | undefined,
): Live<View> {
  const { client } = gatewayOf();
  const view: ShallowRef<View | undefined> = shallowRef();
  const error = shallowRef<Error>();
  watchEffect((onCleanup) => {
    // What came of another topic is not shown as if it were of this one.
    let reduced: View | undefined;
    view.value = undefined;
    error.value = undefined;
    if (client.value === undefined) return;
    let isOver = false;
    const fail = (reason: unknown): void => {
      if (!isOver) error.value = reason as Error;
    };
    try {
      const stream = open(client.value);
      onCleanup(() => {
        isOver = true;
        stream.close();
      });
      const frames = stream.onFrame((update) => {
        reduced = reduce(reduced, update);
        if (!isOver) view.value = reduced;
      });
      frames.catch(fail);
    } catch (reason) {
      fail(reason);
    }
  });
  return { view, error };
}

function gatewayOf(): Gateway {
  const gateway = inject(GATEWAY);
  if (gateway === undefined) throw new Error("app.use(createGateway(url)) has to come first");
  return gateway;
}
