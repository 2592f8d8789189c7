import { decodeView, encodeView, type ViewState } from "../market/view-state.ts";

const VIEW_KEY = "tickwire.view";
const FAVOURITES_KEY = "tickwire.favourites";
const FAVOURITES_MAX = 500;

/** What the address says, and for the rest what was saved here. */
export function loadView(): ViewState {
  return decodeView(location.hash, decodeView(read(VIEW_KEY) ?? ""));
}

/** Saves the view, and puts it into the address, so that it can be shared. */
export function saveView(view: ViewState): void {
  const text = encodeView(view);
  write(VIEW_KEY, text);
  history.replaceState(null, "", `#${text}`);
}

export function loadFavourites(): Set<string> {
  return new Set((read(FAVOURITES_KEY) ?? "").split(" ").filter(Boolean).slice(0, FAVOURITES_MAX));
}

export function saveFavourites(favourites: ReadonlySet<string>): void {
  write(FAVOURITES_KEY, [...favourites].slice(0, FAVOURITES_MAX).join(" "));
}

/** Where the gateway is that served this page, and the path of its WebSocket. */
export function gatewayAddress(): { readonly url: string; readonly webSocketPath: string } {
  const meta = document.querySelector<HTMLMetaElement>("meta[name=tickwire-web-socket-path]");
  const given = meta?.content ?? "";
  return {
    url: new URL(".", location.href).href,
    // While vite serves the page for development, nobody has filled the path in.
    webSocketPath: given.startsWith("/") ? given : "/v1/ws",
  };
}

/** Runs `draw` with each frame of the screen after something changed, and then only. */
export function frameDrawer(draw: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      draw();
    });
  };
}

export function everyMs(intervalMs: number, callback: () => void): void {
  setInterval(callback, intervalMs);
}

export function nowMs(): number {
  return Date.now();
}

/** Storage may be forbidden; then nothing is remembered. */
function read(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Full or forbidden: the page works without a memory, and the address still has the view.
  }
}
