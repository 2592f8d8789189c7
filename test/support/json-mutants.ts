import type { Prng } from "./prng.ts";

// Damage that keeps the shape of a message: what a venue that changes, errs or lies would send.

/** Names that every object has from its prototype, and others that mean something to JavaScript. */
const NAMES = [
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "length",
  "then",
];

/** What stands in place of a value. Each is made anew, so that no mutant shares it with another. */
const VALUES: readonly (() => unknown)[] = [
  ...NAMES.map((name) => () => name),
  ...[
    null,
    true,
    false,
    0,
    -0,
    -1,
    1,
    0.5,
    1e-9,
    1e21,
    1e308,
    2 ** 53,
    2 ** 53 + 2,
    -(2 ** 63),
  ].map((value) => () => value),
  ...[
    "",
    " ",
    "-",
    ".",
    "x",
    "NaN",
    "Infinity",
    "0x10",
    "1e9999",
    "1e-9999",
    "-5",
    "+1",
    "1_0",
  ].map((value) => () => value),
  ...["9".repeat(19), "9".repeat(400), `0.${"0".repeat(300)}1`, "\ud800", "\u0000", "ÄÖ/:*>."].map(
    (value) => () => value,
  ),
  () => "1970-01-01T00:00:00Z",
  () => "2026-13-45T99:99:99.999999999Z",
  () => [],
  () => ({}),
  () => [[]],
  () => [null],
  () => [[null, null]],
  () => ({ toString: 1, valueOf: 1 }),
  () => ({ length: -1 }),
  () => ({ ["__proto__"]: null }),
  () => Array.from({ length: 300 }, () => ["1", "1"]),
];

type Parent = { readonly holder: Record<string, unknown>; readonly key: string };

/**
 * A damaged copy of a message: one to three changes somewhere inside. `others` are messages of the
 * same venue, of which parts are transplanted.
 */
export function mutantOf(message: unknown, others: readonly unknown[], prng: Prng): unknown {
  const root = { message: structuredClone(message) } as Record<string, unknown>;
  const changes = 1 + prng.below(3);
  for (let change = 0; change < changes; change += 1) {
    const place = placeIn({ holder: root, key: "message" }, prng);
    changeAt(place, others, prng);
  }
  return root["message"];
}

/** A text that is cut, doubled, or has characters replaced. */
export function textMutantOf(text: string, prng: Prng): string {
  const at = prng.below(text.length + 1);
  const span = prng.below(8);
  switch (prng.below(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + span);
    case 2:
      return text.slice(0, at) + text.slice(Math.max(0, at - span));
    default:
      return text.slice(0, at) + prng.pick(Array.from('{}[]",:0-e\\\u0000é')) + text.slice(at + 1);
  }
}

/** Somewhere at or below a value, with a value in the depth as likely as one at the top. */
function placeIn(start: Parent, prng: Prng): Parent {
  let place = start;
  while (prng.chance(0.85)) {
    const value = place.holder[place.key];
    if (typeof value !== "object" || value === null) break;
    const keys = Object.keys(value);
    if (keys.length === 0) break;
    place = { holder: value as Record<string, unknown>, key: prng.pick(keys) };
  }
  return place;
}

function changeAt({ holder, key }: Parent, others: readonly unknown[], prng: Prng): void {
  const value = holder[key];
  const isArray = Array.isArray(holder);
  switch (prng.below(8)) {
    case 0:
      if (isArray) (holder as unknown as unknown[]).splice(Number(key), 1);
      else delete holder[key];
      return;
    case 1:
      if (isArray) (holder as unknown as unknown[]).push(structuredClone(value));
      else define(holder, prng.pick(NAMES), structuredClone(value));
      return;
    case 2:
      define(holder, key, [value]);
      return;
    case 3: {
      const other = prng.pick(Object.keys(holder));
      const swapped = holder[other];
      define(holder, other, value);
      define(holder, key, swapped);
      return;
    }
    case 4: {
      const from = placeIn({ holder: { other: prng.pick(others) }, key: "other" }, prng);
      define(holder, key, structuredClone(from.holder[from.key]));
      return;
    }
    default:
      define(holder, key, prng.pick(VALUES)());
  }
}

/** Also for a name that assignment would take for the prototype. */
function define(holder: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
