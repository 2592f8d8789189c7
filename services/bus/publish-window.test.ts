import { describe, expect, test } from "vitest";
import { ConfirmationWindow, publishedBytes, ReconnectBuffer } from "./publish-window.ts";

const payload = new Uint8Array(100);
const weight = publishedBytes("s", payload);

describe("ReconnectBuffer", () => {
  test.each([
    [-1, 2],
    [0, 3],
    [1, 3],
  ])("with %i bytes more than three messages need it takes %i", (beyond, fits) => {
    const buffer = new ReconnectBuffer({ bytesMax: 3 * weight + beyond });
    const taken = Array.from({ length: 4 }, () => {
      try {
        buffer.push("s", payload);
        return true;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    });
    expect(taken.filter((each) => each === true)).toHaveLength(fits);
    expect(taken.at(-1)).toBe("publish-buffer-full");
  });

  test("gives everything back in order, once, and has room again", () => {
    const buffer = new ReconnectBuffer({ bytesMax: 2 * weight });
    buffer.push("a", payload);
    buffer.push("b", payload);
    const sent: string[] = [];
    buffer.drain((subject) => sent.push(subject));
    buffer.drain((subject) => sent.push(subject));
    expect(sent).toEqual(["a", "b"]);
    buffer.push("c", payload);
    buffer.clear();
    buffer.drain((subject) => sent.push(subject));
    expect(sent).toEqual(["a", "b"]);
  });
});

describe("ConfirmationWindow", () => {
  function create(bytesMax: number) {
    const asked: { resolve: () => void; reject: () => void }[] = [];
    const window = new ConfirmationWindow({
      bytesMax,
      confirm: () =>
        new Promise<void>((resolve, reject) => {
          asked.push({ resolve, reject: () => reject(new Error("disconnected")) });
        }),
    });
    return { window, asked };
  }

  test.each([99, 100, 101])("of 100 bytes it takes up to 100: %i", (bytes) => {
    const { window } = create(100);
    const refused = bytes > 100 ? /0 bytes wait for the server, unconfirmedBytesMax is 100/ : /^$/;
    let error = "";
    try {
      window.check(bytes);
    } catch (cause) {
      error = (cause as Error).message;
    }
    expect(error).toMatch(refused);
  });

  test("confirmed bytes make room, those of a lost connection do not count", async () => {
    const { window, asked } = create(100);
    window.add(60);
    expect(() => window.check(60)).toThrow("60 bytes wait");
    asked[0]?.resolve();
    await Promise.resolve();
    window.check(60);
    window.add(60);
    expect(() => window.check(60)).toThrow("60 bytes wait");
    window.reset();
    window.check(100);
    window.add(100);
    asked[1]?.resolve();
    await Promise.resolve();
    expect(() => window.check(1)).toThrow("100 bytes wait");
  });

  test("a confirmation that fails changes nothing", async () => {
    const { window, asked } = create(100);
    window.add(60);
    asked[0]?.reject();
    await Promise.resolve();
    await Promise.resolve();
    expect(() => window.check(60)).toThrow("60 bytes wait");
  });
});
