// Makes proto/vectors/ out of the examples of the specification, for clients in other languages.
//
//   node proto/vectors.mjs           writes proto/vectors/
//   node proto/vectors.mjs --check   writes nothing; exits 1 if proto/vectors/ would change
//
// An example is a heading "### Example: NAME", and after it pairs of code blocks: `hex`, a frame
// with words beside the bytes, and `json`, a line for each batch of the frame and each event in it.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const protoFolder = path.dirname(fileURLToPath(import.meta.url));
const specification = readFileSync(path.join(protoFolder, "wire.md"), "utf8");
const folder = path.join(protoFolder, "vectors");

/** Pairs of digits at the start of a line are bytes; what follows two spaces explains them. */
function hexOf(block) {
  return block
    .split("\n")
    .map((line) => /^(?:[0-9a-f]{2}(?: |$))*/.exec(line)[0].replaceAll(" ", ""))
    .join("");
}

/** The lines of a `json` block: perhaps a `resume`, then batches, each before its events. */
function readingsOf(block) {
  const step = { batches: [] };
  for (const line of block.split("\n").map((text) => JSON.parse(text))) {
    if (line.resume !== undefined) step.resume = line.resume;
    else if (line.reading !== undefined) step.batches.push(withEvents(line));
    else step.batches.at(-1).events.push(line);
  }
  return step;
}

function withEvents(reading) {
  const hasEvents = reading.reading === "news" || reading.reading === "state";
  return hasEvents ? { ...reading, events: [] } : reading;
}

function vectorOf(section) {
  const [name] = section.split("\n", 1);
  const steps = [];
  const pairs = section.matchAll(/```hex\n(.*?)\n```\n\n```json\n(.*?)\n```/gs);
  for (const [, hex, json] of pairs) {
    const { resume, batches } = readingsOf(json);
    steps.push({ ...(resume === undefined ? {} : { resume }), frame: hexOf(hex), batches });
  }
  const about = section.slice(name.length).split("```", 1)[0].trim().replaceAll("\n", " ");
  return { name, about, steps };
}

const generated = {};
for (const section of specification.split("\n### Example: ").slice(1)) {
  const vector = vectorOf(section);
  const file = `${vector.name.replaceAll(/[^a-z0-9]+/g, "-")}.json`;
  generated[file] = `${JSON.stringify(vector, undefined, 2)}\n`;
}

if (process.argv.includes("--check")) {
  const there = readdirSync(folder);
  const different = Object.keys(generated).filter(
    (file) =>
      !there.includes(file) || readFileSync(path.join(folder, file), "utf8") !== generated[file],
  );
  const unexpected = there.filter((file) => !(file in generated));
  for (const file of different) process.stderr.write(`proto/vectors/${file} is not the example\n`);
  for (const file of unexpected) process.stderr.write(`proto/vectors/${file} has no example\n`);
  if (different.length + unexpected.length > 0) {
    process.stderr.write("run: node proto/vectors.mjs\n");
    process.exitCode = 1;
  }
} else {
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(generated)) {
    writeFileSync(path.join(folder, file), text);
  }
}
