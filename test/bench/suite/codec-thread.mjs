// The codec beside protobufjs and what a program has to do around it, in a thread of its own.
import { parentPort, workerData } from "node:worker_threads";
import { BatchReader, BatchWriter, rowsOf } from "@tickwire/proto/codec";
import { EPOCH, allEvents, chained, columnsOf, fill, inParts } from "./codec-events.mjs";
import { ReferenceReader, ReferenceWriter, assertAlike } from "./codec-reference.mjs";
import { alternate, measureQuickly } from "./measure.mjs";

const WARM_MS = 500;
// Between two turns, a whole collection would find nothing left of many objects of protobufjs, so
// that V8 forgets what they look like, and then half of a turn is compiling.
globalThis.gc = undefined;

const { kind, perBatch, rounds, quick } = workerData;
if (quick) measureQuickly();
const events = allEvents()[kind];
const parts = inParts(events, perBatch);
const chain = chained(kind, parts);
const columns = columnsOf(kind, events[0]);

function fillColumns(rows) {
  columns.clear();
  fill(columns, kind, rows);
  return columns;
}

/** What the pass before made, so that V8 does not forget what it looks like. */
const alive = {
  writer: undefined,
  reader: undefined,
  referenceWriter: undefined,
  referenceReader: undefined,
  batch: undefined,
  bytes: undefined,
  rows: undefined,
  rowsOfReference: undefined,
};

const candidates = {
  "encode from columns": () => {
    alive.writer = new BatchWriter({ kind, epoch: EPOCH });
    for (const rows of parts) {
      alive.batch = alive.writer.writeColumns(fillColumns(rows), { publishedTimeUs: EPOCH });
    }
    return events.length;
  },
  "protobufjs, encode from columns": () => {
    alive.referenceWriter = new ReferenceWriter({ kind, epoch: EPOCH });
    for (const rows of parts) alive.bytes = alive.referenceWriter.write(fillColumns(rows), EPOCH);
    return events.length;
  },
  "decode to rows": () => {
    alive.reader = new BatchReader();
    for (const bytes of chain) alive.rows = rowsOf(alive.reader.read(bytes).batch);
    return events.length;
  },
  "protobufjs, decode to rows": () => {
    alive.referenceReader = new ReferenceReader(kind);
    for (const bytes of chain) alive.rowsOfReference = alive.referenceReader.read(bytes);
    return events.length;
  },
};
// A thread has to compile everything, and protobufjs takes long until that is done.
for (const candidate of Object.values(candidates)) {
  const begunMs = performance.now();
  do candidate();
  while (!quick && performance.now() - begunMs < WARM_MS);
}
const samples = await alternate(candidates, { rounds });
// Afterwards, because it reads what is written, which makes protobufjs slower.
assertAlike({
  kind,
  epoch: EPOCH,
  parts,
  chain,
  fillColumns,
  writer: new BatchWriter({ kind, epoch: EPOCH }),
  reader: new BatchReader(),
});
parentPort.postMessage(samples);
