// When something was published, as text that readers.c finds in a frame: two tildes and sixteen
// letters from a to p, hexadecimal digits of the microseconds of the monotonic clock.
const A = 97;

/** The stamp of now. It ends in no digit, so that it travels as it is where it is a trade's id. */
export function stampOfNow() {
  const us = process.hrtime.bigint() / 1_000n;
  let text = "~~";
  for (let shift = 60n; shift >= 0n; shift -= 4n) {
    text += String.fromCharCode(A + Number((us >> shift) & 15n));
  }
  return text;
}
