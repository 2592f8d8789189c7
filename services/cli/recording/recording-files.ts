import { Recording } from "#recording/reading/recording.ts";
import { RecordingError } from "#recording/recording-error.ts";
import { bytesText } from "../output/bytes-text.ts";
import { CommandError } from "../process/errors.ts";

/** Opens a recording. Throws CommandError. */
export async function openRecording(path: string): Promise<Recording> {
  try {
    return await Recording.open(path);
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    throw new CommandError(`${error.code}: ${error.message}`, { cause: error });
  }
}

/** What is to be said of a recording that is not whole; undefined if it is. */
export function damageOf({ damage }: Recording): string | undefined {
  const { tornBytes, damagedBytes } = damage;
  const parts = [
    ...(tornBytes > 0 ? [`${bytesText(tornBytes)} of a torn end were left`] : []),
    ...(damagedBytes > 0 ? [`${bytesText(damagedBytes)} are damaged and were passed over`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join("; ");
}
