// What the page of the `client` benchmark does, in a browser: the work of Node's, and a tape.
import { createTopic, createWork } from "./client-work.mjs";

// A tape of the last trades, drawn once a frame while they come.
globalThis.draw = (url, seconds) =>
  new Promise((resolve, reject) => {
    const rows = Array.from({ length: 20 }, () =>
      document.body.appendChild(document.createElement("p")),
    );
    const last = [];
    const { counters, read } = createTopic((trade) => {
      last.push(trade);
      if (last.length > rows.length) last.shift();
    });
    let frames = 0;
    let frame = requestAnimationFrame(function drawn() {
      frames += 1;
      last.forEach(
        ({ priceText, sizeText }, at) => (rows[at].textContent = priceText + " " + sizeText),
      );
      frame = requestAnimationFrame(drawn);
    });
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => read(new Uint8Array(data));
    socket.onerror = () => reject(new Error("the socket broke"));
    socket.onopen = () => {
      const begun = performance.now();
      const before = { frames, events: counters.events };
      setTimeout(() => {
        const elapsed = (performance.now() - begun) / 1000;
        cancelAnimationFrame(frame);
        socket.close();
        rows.forEach((row) => row.remove());
        resolve({
          fps: (frames - before.frames) / elapsed,
          eventsPerSecond: (counters.events - before.events) / elapsed,
        });
      }, seconds * 1000);
    };
  });
// Browsers tell the time in steps of up to 0.1 ms, and a round must be long against that.
globalThis.measure = async ({ trades, tradesPerBatch, rounds }) => {
  const work = createWork(trades, tradesPerBatch);
  const names = Object.keys(work);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (let place = 0; place < names.length; place += 1) {
      const name = names[(place + round) % names.length];
      await new Promise((resolve) => setTimeout(resolve));
      const before = performance.now();
      const units = work[name]();
      if (round > 0) samples[name].push(((performance.now() - before) * 1e6) / units);
    }
  }
  return samples;
};
