import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
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

/** Books come at most so often: nobody reads faster. */
const BOOK_INTERVAL_MS = 100;

type Gateway = { readonly client: Client | undefined; readonly state: ClientState };

const GatewayContext = createContext<Gateway>({ client: undefined, state: "connecting" });

/** Gives all below one connection. It dials until the gateway is there, and closes at the end. */
export function GatewayProvider({ url, children }: { url: string; children: ReactNode }) {
  const [gateway, setGateway] = useState<Gateway>({ client: undefined, state: "connecting" });
  useEffect(() => {
    // StrictMode runs this, takes it back and runs it again: what the first one began has to end.
    const ended = new AbortController();
    let opened: Client | undefined;
    setGateway({ client: undefined, state: "connecting" });
    connect(url, { clientName: "react", waitForFirstConnect: true, signal: ended.signal }).then(
      (client) => {
        if (ended.signal.aborted) return client.close();
        opened = client;
        setGateway({ client, state: client.state });
        client.onState((state) => {
          if (!ended.signal.aborted) setGateway({ client, state });
        });
      },
      () => {
        if (!ended.signal.aborted) setGateway({ client: undefined, state: "closed" });
      },
    );
    return () => {
      ended.abort();
      opened?.close();
    };
  }, [url]);
  return <GatewayContext value={gateway}>{children}</GatewayContext>;
}

/** How the connection is. */
export function useConnectionState(): ClientState {
  return useContext(GatewayContext).state;
}

/** What there is of a topic: nothing yet, what was last drawn, or why nothing comes. */
type Live<View> = { readonly view: View | undefined; readonly error: Error | undefined };

const NOTHING = { view: undefined, error: undefined };

/** The newest quote of an instrument, such as `binance:BTC-USDT`. */
export function useTicks(instrument: string): Live<Quote> {
  return useStream(`quotes ${instrument}`, {
    open: (client) => client.quotes(instrument),
    reduce: (before, { events }) => events.at(-1) ?? before,
  });
}

/** The last trades of an instrument, the newest one first. */
export function useTrades(instrument: string, tradesMax: number): Live<readonly Trade[]> {
  return useStream(`trades ${instrument} ${tradesMax}`, {
    open: (client) => client.trades(instrument),
    reduce: (before: readonly Trade[] | undefined, { events }) =>
      [...events.slice(-tradesMax).toReversed(), ...(before ?? [])].slice(0, tradesMax),
  });
}

/**
 * The best levels of a book. All components that show the same book have to ask for the same
 * depth, because a connection has a topic once.
 */
export function useBook(instrument: string, depth: number): Live<BookSnapshot> {
  return useStream(`book ${instrument} ${depth}`, {
    open: (client) => client.book(instrument, { depth, conflationIntervalMs: BOOK_INTERVAL_MS }),
    // The client's book changes in place; what React compares has to be a copy that does not.
    reduce: (before: BookSnapshot | undefined, { events }: FrameUpdate<LiveBook>) =>
      events.at(-1)?.snapshot(depth) ?? before,
  });
}

/**
 * Keeps a stream open while the component is there, and renders at most once a frame. `key` says
 * all that `open` and `reduce` depend on: with another one the stream is another.
 */
function useStream<Event, View>(
  key: string,
  how: {
    readonly open: (client: Client) => EventStream<Event>;
    readonly reduce: (before: View | undefined, update: FrameUpdate<Event>) => View | undefined;
  },
): Live<View> {
  const { client } = useContext(GatewayContext);
  const [state, setState] = useState<{ key: string; live: Live<View> }>();
  useEffect(() => {
    if (client === undefined) return;
    let view: View | undefined;
    let isOver = false;
    const show = (live: Live<View>): void => {
      if (!isOver) setState({ key, live });
    };
    const fail = (error: unknown): void => show({ view, error: error as Error });
    let stream: EventStream<Event> | undefined;
    try {
      stream = how.open(client);
      const frames = stream.onFrame((update) => {
        view = how.reduce(view, update);
        show({ view, error: undefined });
      });
      frames.catch(fail);
    } catch (error) {
      fail(error);
    }
    return () => {
      isOver = true;
      stream?.close();
    };
  }, [client, key]);
  // What came of another topic is not shown as if it were of this one.
  return state?.key === key ? state.live : NOTHING;
}
