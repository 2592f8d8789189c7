import { parseAlerts, type Alert } from "../market/alerts.ts";
import { decodeView, encodeView, type ViewState } from "../market/view-state.ts";

const VIEW_KEY = "tickwire.view";
const TOKEN_KEY = "tickwire.token";
/** A window that was opened from another one has a view of its own, by this parameter. */
const WINDOW_PARAMETER = "window";
const WINDOWS_MAX = 8;
const NARROW = "(max-width: 820px)";
const ALERTS_KEY = "tickwire.alerts";
const FAVOURITES_KEY = "tickwire.favourites";
const FAVOURITES_MAX = 500;

/** What the address says, and for the rest what was saved here. */
export function loadView(): ViewState {
  const saved = read(viewKey()) ?? read(VIEW_KEY) ?? "";
  return decodeView(location.hash, decodeView(saved));
}

/** Saves the view, and puts it into the address, so that it can be shared. */
export function saveView(view: ViewState): void {
  const text = encodeView(view);
  write(viewKey(), text);
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

/** Tells what another window has changed of what all of them share. */
export function onStored(listener: (what: "alerts" | "favourites") => void): void {
  window.addEventListener("storage", ({ key }) => {
    if (key === ALERTS_KEY) listener("alerts");
    if (key === FAVOURITES_KEY) listener("favourites");
  });
}

/**
 * Calls back when this window is the one of all that sounds: the first one, and after it is closed
 * the next. Where windows cannot agree on it, each one sounds.
 */
export async function whenSounding(onTurn: () => void): Promise<void> {
  const { locks } = navigator as Partial<Pick<Navigator, "locks">>;
  const hold = (): Promise<void> => {
    onTurn();
    return new Promise(() => undefined);
  };
  try {
    await (locks === undefined ? hold() : locks.request("tickwire.sound", hold));
  } catch {
    // A browser may refuse locks.
    onTurn();
  }
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

/**
 * The same view in a window of its own, which goes its own way from then on: what is changed there
 * is saved beside what is changed here.
 */
export function openWindow(): void {
  const next = (windowNumber() % WINDOWS_MAX) + 1;
  const address = new URL(location.href);
  address.searchParams.set(WINDOW_PARAMETER, String(next));
  // With its opener, so that it has what was entered in this window to be let in.
  window.open(address, "_blank", "popup,width=1100,height=720");
}

/** 0 for the first one. */
function windowNumber(): number {
  const given = Number(new URLSearchParams(location.search).get(WINDOW_PARAMETER) ?? 0);
  return Number.isInteger(given) && given > 0 && given <= WINDOWS_MAX ? given : 0;
}

function viewKey(): string {
  const number = windowNumber();
  return number === 0 ? VIEW_KEY : `${VIEW_KEY}.${number}`;
}

/** The API key or token that was entered in this window, or the one that opened it. */
export function loadToken(): string {
  return read(TOKEN_KEY, () => sessionStorage) ?? "";
}

export function saveToken(token: string): void {
  write(TOKEN_KEY, token, () => sessionStorage);
}

export function reload(): void {
  location.reload();
}

/** False where the browser forbids it. */
export async function copyAddress(): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(location.href);
    return true;
  } catch {
    // A page that is not secure has no clipboard.
    return false;
  }
}

/** Tells whether there is room for one panel only, now and with each change. */
export function onNarrow(listener: (isNarrow: boolean) => void): void {
  const query = matchMedia(NARROW);
  query.addEventListener("change", () => listener(query.matches));
  listener(query.matches);
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

/** Some browsers of phones have none. */
export function hasSharedWorkers(): boolean {
  return "SharedWorker" in window;
}

/** Calls back with the next frame of the screen. */
export function onFrame(callback: () => void): void {
  requestAnimationFrame(callback);
}

export function everyMs(intervalMs: number, callback: () => void): void {
  setInterval(callback, intervalMs);
}

export function afterMs(delayMs: number, callback: () => void): void {
  setTimeout(callback, delayMs);
}

/** What the browser takes for the time. */
export function browserMs(): number {
  return Date.now();
}

/** For lengths of time: this clock is never set. */
export function steadyMs(): number {
  return performance.now();
}

/** Storage may be forbidden; then nothing is remembered. */
function read(key: string, storage: () => Storage = () => localStorage): string | undefined {
  try {
    return storage().getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function write(key: string, text: string, storage: () => Storage = () => localStorage): void {
  try {
    storage().setItem(key, text);
  } catch {
    // Full or forbidden: the page works without a memory, and the address still has the view.
  }
}
