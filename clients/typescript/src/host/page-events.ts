/** A hint from the host that the network or the page changed. */
export type NetworkChange = "online" | "offline" | "resumed";

type EventTargetLike = {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
};

type PageGlobals = Partial<EventTargetLike> & {
  readonly document?: EventTargetLike & { readonly visibilityState: string };
};

const host = globalThis as unknown as PageGlobals;

/** Calls `listener` on network changes until the result is called. */
export function watchNetwork(listener: (change: NetworkChange) => void): () => void {
  const { document } = host;
  const releases = [
    listen(host, "online", () => listener("online")),
    listen(host, "offline", () => listener("offline")),
    // A page that comes back from the back-forward cache has a dead socket that says nothing.
    listen(host, "pageshow", () => listener("resumed")),
    listen(document, "visibilitychange", () => {
      if (document?.visibilityState === "visible") listener("resumed");
    }),
  ];
  return () => releases.forEach((release) => release());
}

/** Calls `listener` when the page is hidden or shown, until the result is called. */
export function watchVisibility(listener: (isVisible: boolean) => void): () => void {
  const { document } = host;
  return listen(document, "visibilitychange", () => {
    listener(document?.visibilityState !== "hidden");
  });
}

function listen(
  target: Partial<EventTargetLike> | undefined,
  type: string,
  listener: () => void,
): () => void {
  target?.addEventListener?.(type, listener);
  return () => target?.removeEventListener?.(type, listener);
}
