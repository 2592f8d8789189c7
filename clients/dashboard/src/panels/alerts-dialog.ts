import {
  AlertBook,
  ALERT_KINDS,
  alertWish,
  type AlertKind,
  type AlertReading,
} from "../market/alerts.ts";
import { beep, loadAlerts, saveAlerts, whenSounding } from "../page/browser.ts";
import { choice, el, setText } from "../page/dom.ts";
import type { Context } from "./context.ts";

const KIND_WORDS: Readonly<Record<AlertKind, string>> = {
  "price-above": "price above",
  "price-below": "price below",
  "spread-above": "spread above (bp)",
  feed: "feed not live",
  gap: "events missing",
};
const CHECK_MS = 500;
const TOASTS_MAX = 4;
const TOAST_MS = 12_000;

/** Alerts of the reader: made in a dialog, told in a corner of the page with a sound. */
export class AlertsDialog {
  readonly element = el("dialog", { class: "alerts", "aria-label": "Alerts" });
  /** Where what fired is said. */
  readonly toasts = el("div", { class: "toasts", role: "status", "aria-live": "polite" });
  readonly #context: Context;
  readonly #readingOf: (topic: string) => AlertReading;
  readonly #book = new AlertBook(loadAlerts());
  readonly #kind = choice("What to watch", (kind) => this.#pick(kind as AlertKind));
  readonly #value = el("input", { type: "number", step: "any", "aria-label": "Value" });
  readonly #market = el("b");
  readonly #list = el("ul", { class: "alert-list" });
  readonly #problem = el("p", { class: "problem", role: "alert" });
  readonly #sound = el("input", { type: "checkbox", id: "alert-sound", checked: "" });
  #chosen: AlertKind = "price-above";
  #isSounding = false;

  constructor(context: Context, readingOf: (topic: string) => AlertReading) {
    this.#context = context;
    this.#readingOf = readingOf;
    const add = el("button", { type: "submit" }, "Add");
    const form = el(
      "form",
      { class: "alert-form" },
      this.#market,
      this.#kind.element,
      this.#value,
      add,
    );
    const close = el("button", { type: "button" }, "Close");
    const sound = el("label", {}, this.#sound, " sound");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
    close.addEventListener("click", () => this.element.close());
    this.element.append(
      el("h2", {}, "Alerts"),
      form,
      this.#problem,
      this.#list,
      el("footer", {}, sound, close),
    );
    this.#kind.set(
      ALERT_KINDS.map((kind) => [kind, KIND_WORDS[kind]] as const),
      this.#chosen,
    );
    context.everyMs(CHECK_MS, () => this.#check());
    void whenSounding(() => {
      this.#isSounding = true;
    });
  }

  open(): void {
    if (this.element.open) return;
    const { topic } = this.#context.view();
    setText(this.#market, topic);
    setText(this.#problem, "");
    const { price } = this.#readingOf(topic);
    if (price !== undefined) this.#value.value = String(price);
    this.#drawList();
    this.element.showModal();
    this.#value.focus();
  }

  /** Another window has changed the alerts. */
  reload(): void {
    this.#book.sync(loadAlerts());
    this.#drawList();
  }

  #pick(kind: AlertKind): void {
    this.#chosen = kind;
    this.#value.hidden = kind === "feed" || kind === "gap";
  }

  #add(): void {
    const needsValue = !this.#value.hidden;
    const value = needsValue ? this.#value.valueAsNumber : 0;
    if (!Number.isFinite(value)) {
      setText(this.#problem, "The alert needs a number.");
      return;
    }
    const { topic } = this.#context.view();
    const isAdded = this.#book.add({ topic, kind: this.#chosen, value });
    setText(this.#problem, isAdded ? "" : "There are as many alerts as there may be.");
    this.#changed();
  }

  #changed(): void {
    saveAlerts(this.#book.alerts);
    this.#drawList();
  }

  #drawList(): void {
    const rows = this.#book.alerts.map((alert) => {
      const remove = el("button", { type: "button", "aria-label": "Remove" }, "×");
      remove.addEventListener("click", () => {
        this.#book.remove(alert.id);
        this.#changed();
      });
      return el("li", {}, el("span", {}, `${alert.topic}: ${alertWish(alert)}`), remove);
    });
    const none = el("li", { class: "muted" }, "No alerts yet.");
    this.#list.replaceChildren(...(rows.length === 0 ? [none] : rows));
  }

  #check(): void {
    const fired = this.#book.check(this.#readingOf);
    for (const { text } of fired) this.#tell(text);
    if (fired.length > 0 && this.#isSounding && this.#sound.checked) beep();
  }

  #tell(text: string): void {
    const toast = el("div", { class: "toast" }, text);
    this.toasts.prepend(toast);
    while (this.toasts.children.length > TOASTS_MAX) this.toasts.lastElementChild?.remove();
    this.#context.afterMs(TOAST_MS, () => toast.remove());
  }
}
