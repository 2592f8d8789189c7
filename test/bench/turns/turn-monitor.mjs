// How long the turns of this process's event loop are. A turn is what happens between two visits
// of the check phase, of which every turn has one: an immediate that keeps nothing waiting stamps
// each.
// The time that the loop slept is taken off, and what Linux says that the thread did not run (it
// waited for a CPU, or its container had used its share up), so that a busy machine makes no turn
// look long. Linux counts in ticks of up to 4 ms: a turn may seem that much longer, as its
// neighbours seem shorter.
import { closeSync, openSync, readSync } from "node:fs";
import { performance, PerformanceObserver } from "node:perf_hooks";

const KEPT = 20;
/** Turns are counted by tenths of milliseconds. */
const BUCKETS = 20_000;

/** Nanoseconds that the main thread has run, and that it waited for a CPU. */
function openThreadTimes() {
  let file;
  try {
    file = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
  } catch {
    return { read: () => [Number.NaN, 0], close: () => {} };
  }
  const buffer = Buffer.alloc(96);
  const read = () => {
    const text = buffer.toString("latin1", 0, readSync(file, buffer, 0, 96, 0));
    const [ran, waited] = text.split(" ");
    return [Number(ran), Number(waited)];
  };
  return { read, close: () => closeSync(file) };
}

/** Has the thread stand still, for which it takes no time of the CPU. */
export function standStill(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Begins to watch. `report` says what was since the last `reset`. */
export function watchTurns() {
  const times = openThreadTimes();
  const collections = [];
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      collections.push([startTime, startTime + duration]);
      if (collections.length > 10_000) collections.splice(0, 5_000);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  let counts = new Uint32Array(BUCKETS);
  let longest = [];
  let turns = 0;
  let kept;
  let before = stamp();

  function stamp() {
    const [ranNs, waitedNs] = times.read();
    return {
      atMs: performance.now(),
      idleMs: performance.eventLoopUtilization().idle,
      ranNs,
      waitedNs,
    };
  }

  function onCheck() {
    const now = stamp();
    const wallMs = now.atMs - before.atMs - (now.idleMs - before.idleMs);
    const cpuMs = (now.ranNs - before.ranNs) / 1e6;
    const onCpuMs = Number.isNaN(cpuMs) ? wallMs : Math.min(wallMs, cpuMs);
    const busyMs = Math.max(0, Math.min(onCpuMs, wallMs - (now.waitedNs - before.waitedNs) / 1e6));
    const bucket = Math.min(BUCKETS - 1, Math.floor(busyMs * 10));
    counts[bucket] += 1;
    turns += 1;
    if (longest.length < KEPT || busyMs > longest[KEPT - 1].busyMs) {
      longest.push({ busyMs, cpuMs, wallMs, from: before.atMs, to: now.atMs });
      longest.sort((one, other) => other.busyMs - one.busyMs);
      longest.length = Math.min(KEPT, longest.length);
    }
    before = now;
    setImmediate(onCheck).unref();
  }
  setImmediate(onCheck).unref();

  const gcMsWithin = ({ from, to }) =>
    collections.reduce((sum, [begin, end]) => {
      return sum + Math.max(0, Math.min(end, to) - Math.max(begin, from));
    }, 0);

  return {
    /** The turn that is under way counts from now on. */
    reset() {
      before = stamp();
      counts = new Uint32Array(BUCKETS);
      longest = [];
      turns = 0;
    },
    /** What comes from now on is not told any more. */
    keep() {
      kept = this.report();
    },
    /** Collections are known one turn after they were: to be asked in a later turn. */
    report() {
      if (kept !== undefined) return kept;
      const detailed = longest.map((turn) => ({ ...turn, gcMs: gcMsWithin(turn) }));
      const own = detailed.map(({ busyMs, gcMs }) => Math.max(0, busyMs - gcMs));
      let left = Math.ceil(turns * 0.01);
      let bucket = BUCKETS - 1;
      for (; bucket > 0; bucket -= 1) {
        left -= counts[bucket];
        if (left <= 0) break;
      }
      let above = 0;
      for (let index = 100; index < BUCKETS; index += 1) above += counts[index];
      return {
        turns,
        turnMsMax: detailed[0]?.busyMs ?? 0,
        turnMsMaxWithoutGc: own.length === 0 ? 0 : Math.max(...own),
        turnMsP99: bucket / 10,
        turnsAbove10Ms: above,
        longest: detailed.slice(0, 5),
      };
    },
    close() {
      observer.disconnect();
      times.close();
    },
  };
}
