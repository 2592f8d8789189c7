import { complainLines, wishColours } from "./output/terminal.ts";
import { COLOUR_WISHES, takeColourWish } from "./output/colours.ts";
import { explainError, UsageError } from "./process/errors.ts";
import { createProgram } from "./program.ts";

/** A reader that closes its end (`| head`) has all it wants, so this is no error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

async function run(): Promise<void> {
  try {
    const taken = takeColourWish(process.argv.slice(2));
    if (taken === undefined) throw new UsageError(`--color is one of ${COLOUR_WISHES.join(", ")}`);
    wishColours(taken.wish);
    const program = await createProgram(taken.args);
    await program.parseAsync([...taken.args], { from: "user" });
  } catch (error) {
    const { exitCode, line } = explainError(error);
    if (line !== undefined) complainLines(line);
    // What a failed command left open must not keep the process alive.
    process.exit(exitCode);
  }
}

// It never rejects: what a command throws is told, and ends the process.
void run();
