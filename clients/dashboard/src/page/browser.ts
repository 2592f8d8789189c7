import { parseAlerts, type Alert } from "../market/alerts.ts";
import { decodeView, encodeView, type ViewState } from "../market/view-state.ts";

const VIEW_KEY = "tickwire.view";
const ALERTS_KEY = "tickwire.alerts";
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

export function loadAlerts(): Omit<Alert, "id">[] {
  return parseAlerts(read(ALERTS_KEY) ?? "[]");
}

export function saveAlerts(alerts: readonly Alert[]): void {
  const saved = alerts.map(({ topic, kind, value }) => ({ topic, kind, value }));
  write(ALERTS_KEY, JSON.stringify(saved));
}

/** A short tone. A browser stays silent until somebody has touched the page. */
export function beep(): void {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 880;
  volume.gain.value = 0.1;
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.4);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.4);
  tone.addEventListener("ended", () => void audio.close());
}

/** The same view in a window of its own, which goes its own way from then on. */
export function openWindow(): void {
  window.open(location.href, "_blank", "popup,width=1100,height=720,noopener");
}

export function pixelRatio(): number {
  return window.devicePixelRatio;
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

export function afterMs(delayMs: number, callback: () => void): void {
  setTimeout(callback, delayMs);
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
