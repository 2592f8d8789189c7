// Many clients in one process, which count what they miss and what they get twice.
// `node clients.mjs URL COUNT`, forked: says when all are connected, and answers "report".
import { connect } from "@tickwire/client";

const [, , url, count] = process.argv;
const totals = { delivered: 0, missing: 0, doubled: 0, unsaid: 0, moves: 0, breaks: 0, starts: 0 };

function follow() {
  const last = new Map();
  return (event) => {
    const { type, topic, epoch, sequence } = event;
    if (type === "gap") {
      totals.missing += (event.missingLast ?? event.missingFirst) - event.missingFirst + 1;
    } else if (type === "continuity") {
      if (event.continuity === "new" || event.continuity === "replaced") {
        totals.starts += 1;
        last.set(topic, { epoch, sequence, isState: true });
      }
    } else if (sequence !== undefined) {
      const before = last.get(topic);
      // The state at a start stands at the sequence of the start.
      const isState = before?.isState && sequence === before.sequence;
      if (before === undefined || before.epoch !== epoch) totals.unsaid += 1;
      else if (sequence <= before.sequence && !isState) totals.doubled += 1;
      else if (sequence > before.sequence + 1) totals.unsaid += sequence - before.sequence - 1;
      if (!isState) totals.delivered += 1;
      last.set(topic, { epoch, sequence, isState: false });
    }
  };
}

for (let index = 0; index < Number(count); index += 1) {
  const client = await connect(url, { waitForFirstConnect: true });
  client.onState((state, { code }) => {
    if (code === "moved") totals.moves += 1;
    else if (state !== "connected") totals.breaks += 1;
  });
  client.subscribe(
    ["trades", "quotes", "book"].map((name) => `simulated:*/${name}`),
    follow(),
  );
}
process.on("message", () => process.send(totals));
process.send("connected");
