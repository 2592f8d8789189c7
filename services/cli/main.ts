import { remark } from "./output/terminal.ts";
import { explainError } from "./process/errors.ts";
import { createProgram } from "./program.ts";

/** A reader that closes its end (`| head`) has all it wants, so this is no error. */
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  const program = await createProgram(process.argv.slice(2));
  await program.parseAsync(process.argv);
} catch (error) {
  const { exitCode, line } = explainError(error);
  if (line !== undefined) remark(`tickwire: ${line}`);
  // What a failed command left open must not keep the process alive.
  process.exit(exitCode);
}
