// Kills 50 recorders (or as many as the first argument says) at random moments and shows that every
// file is readable and that nothing is lost that the recorder had said was kept by the disk.
//
//   npm run build && node test/bench/recording-kills.bench.mjs 50 1
import { killRecorders } from "../support/recording-kills.mjs";

const print = (line) => process.stdout.write(`${line}\n`);
const kills = Number(process.argv[2] ?? 50);
const seed = Number(process.argv[3] ?? 1);

print(`${kills} kills, seed ${seed}`);
print("kill  after ms  flushed   read  files  torn bytes  damaged  holes");
const results = await killRecorders({
  kills,
  seed,
  onKill: (kill, index) => {
    const { afterMs, flushedEvents, readEvents, files, tornBytes, damagedBytes } = kill;
    const cells = [
      String(index + 1).padStart(4),
      String(afterMs).padStart(9),
      String(flushedEvents).padStart(8),
      String(readEvents).padStart(6),
      String(files).padStart(6),
      String(tornBytes).padStart(11),
      String(damagedBytes).padStart(8),
      String(kill.brokenTopics.length).padStart(6),
    ];
    print(cells.join(" "));
  },
});
const lost = results.filter(({ flushedEvents, readEvents }) => readEvents < flushedEvents);
const broken = results.filter(
  ({ damagedBytes, brokenTopics }) => damagedBytes > 0 || brokenTopics.length > 0,
);
const torn = results.filter(({ tornBytes }) => tornBytes > 0);
print(
  `${lost.length} lost what was flushed, ${broken.length} had damage or holes, ` +
    `${torn.length} had a torn end`,
);
process.exitCode = lost.length + broken.length > 0 ? 1 : 0;
