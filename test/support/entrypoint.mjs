/** The words that an image runs the program with, of the text of its Dockerfile. */
export function entrypointOf(dockerfile) {
  const [, words] = /^ENTRYPOINT (.*)$/m.exec(dockerfile) ?? [];
  if (words === undefined) throw new Error("the Dockerfile has no ENTRYPOINT");
  return JSON.parse(words);
}
