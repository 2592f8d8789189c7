import type { AccessTrouble } from "../market/access-words.ts";
import { el, setText } from "../page/dom.ts";

/** Where a reader enters an API key or a token. It stays in this window, until that is closed. */
export class AccessDialog {
  readonly element = el("dialog", { class: "access", "aria-label": "Access" });
  readonly #why = el("p");
  readonly #field = el("input", {
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "twk_… or a token (JWT)",
    "aria-label": "API key or token",
  });
  readonly #forget = el("button", { type: "button" }, "Forget it");
  readonly #title = el("h2", {}, "Access");

  /** `onEnter` gets what was entered, without blanks around it; empty to forget what there was. */
  constructor(onEnter: (token: string) => void) {
    const use = el("button", { type: "submit", class: "primary" }, "Use it");
    const cancel = el("button", { type: "button" }, "Cancel");
    const form = el(
      "form",
      { class: "access-form" },
      this.#field,
      el(
        "p",
        { class: "muted" },
        "It is kept in this window until you close it, is shown to this gateway only, and stands in no address.",
      ),
      el("footer", {}, this.#forget, cancel, use),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const token = this.#field.value.trim();
      if (token === "") return;
      this.#close();
      onEnter(token);
    });
    cancel.addEventListener("click", () => this.#close());
    this.#forget.addEventListener("click", () => {
      this.#close();
      onEnter("");
    });
    this.element.append(this.#title, this.#why, form);
  }

  open(trouble: AccessTrouble | undefined, hasToken: boolean): void {
    if (this.element.open) return;
    setText(this.#title, trouble?.title ?? "Access");
    setText(
      this.#why,
      trouble?.text ?? "Some gateways ask who you are. Enter the API key or token that you have.",
    );
    this.#forget.hidden = !hasToken;
    this.element.showModal();
    this.#field.focus();
  }

  #close(): void {
    this.#field.value = "";
    this.element.close();
  }
}
