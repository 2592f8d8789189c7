// Bytes of the TypeScript client in a web page, by what the page does with it, and by module.
//
//   node test/bench/client-bundle.bench.mjs [everything | "every export" | "ticks only" | ...]
//
// The argument also prints what each part of that page adds, and the bytes of each module. The
// figures are the same on every machine; test/e2e/client-bundle.test.ts holds them below a bound.
import {
  CLIENT_PAGES,
  bundleForBrowser,
  bytesByModule,
  gzipByRoom,
  transferSizes,
} from "../support/client-bundle.mjs";

const write = (...columns) => {
  const text = columns.map((column, index) =>
    index === 0 ? String(column).padEnd(50) : String(column).padStart(10),
  );
  process.stdout.write(`${text.join("")}\n`);
};

const sizesOf = (chunks) => transferSizes(...chunks.map(({ code }) => code));

write("page, what it loads at start", "minified", "gzip", "brotli");
let bundleToShow;
for (const [name, source] of Object.entries(CLIENT_PAGES)) {
  const bundle = await bundleForBrowser(source);
  const { bytes, gzipBytes, brotliBytes } = sizesOf(bundle.chunks);
  write(name, bytes, gzipBytes, brotliBytes);
  if (name === process.argv[2]) bundleToShow = bundle;
  for (const chunk of name === "everything" ? bundle.lateChunks : []) {
    const late = sizesOf([chunk]);
    write(`  later: ${chunk.name}`, late.bytes, late.gzipBytes, late.brotliBytes);
  }
  if (bundle.lateChunks.length > 0) {
    const all = sizesOf([...bundle.chunks, ...bundle.lateChunks]);
    write("  all of it, if it needs all", all.bytes, all.gzipBytes, all.brotliBytes);
  }
}
if (bundleToShow !== undefined) {
  const { chunks } = bundleToShow;
  process.stdout.write(`\nparts of "${process.argv[2]}", by gzip\n`);
  for (const { room, gzipBytes } of gzipByRoom(chunks)) write(room, gzipBytes);
  process.stdout.write(`\nmodules of "${process.argv[2]}"\n`);
  for (const { module, bytes } of bytesByModule(chunks)) write(module, bytes);
}
