/** The only word: what has become of the worker's descriptor. */
const STATE = 0;
const GIVEN = 0;
const RETURNED = 1;

/** A listener that takes longer to let go of a worker is held up for good. */
const RETURN_MS_MAX = 5_000;

/** Memory for the farewell of one worker. */
export function createFarewell(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** The listener will not hand anything to the worker any more. */
export function returned(farewell: Int32Array): void {
  Atomics.store(farewell, STATE, RETURNED);
  Atomics.notify(farewell, STATE);
}

/**
 * Blocks a worker that ends by itself until the listener has let go of it: whoever was handed to a
 * thread that is no more would take the whole process with it.
 */
export function awaitReturned(farewell: Int32Array): void {
  Atomics.wait(farewell, STATE, GIVEN, RETURN_MS_MAX);
}
