// What a reader of the figures has to know of how they were made; it stands in the head of a table.

/** A generator of load that is busier than this may be what limits a server. */
const READER_CORES_MAX = 0.8;

/** By server, the largest part of a core that its readers took. */
const readers = new Map();

/** The readers of a server took so much of a core for a while. */
export function noteReaders(server, cores) {
  readers.set(server, Math.max(cores, readers.get(server) ?? 0));
}

/** The notes of this process, as sentences. */
export function notes() {
  return [...readers]
    .filter(([, cores]) => cores > READER_CORES_MAX)
    .map(([server, cores]) => {
      const name = server.split("/").at(-1).replace(".mjs", "");
      const took = `took up to ${cores.toFixed(2)} of their core`;
      return `the readers of ${name} ${took}, so it may have been held up`;
    });
}
