import { describe, expect, test } from "vitest";
import { DEFAULT_VIEW, decodeView, encodeView } from "./view-state.ts";

describe("the view", () => {
  test("comes back from an address as it went in", () => {
    const view = { ...DEFAULT_VIEW, topic: "okx:BTC-USDT", step: "0.5", theme: "light" } as const;
    expect(decodeView(`#${encodeView(view)}`)).toEqual(view);
    expect(encodeView(DEFAULT_VIEW)).toBe("");
  });

  test("takes nothing from an address that makes no sense", () => {
    const text = "topic=*:*&theme=pink&layout=1000R2-500m&intervalMs=&constructor=1&step=1e9";
    expect(decodeView(text)).toEqual(DEFAULT_VIEW);
  });
});
