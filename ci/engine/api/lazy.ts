import type { Call } from "../session.js";

/** Work that runs when somebody needs its result, and then once. */
export type Lazy<T> = (signal: AbortSignal) => Promise<T>;

/** Defers `work` until its result is asked for; it runs once for this operation. */
export function lazy<T>(
  call: Call,
  work: (signal: AbortSignal) => Promise<T>,
  part = "fs",
): Lazy<T> {
  const { session, node } = call;
  return (signal) => session.share(`${node.digest}/${part}`, work, signal);
}

/** A result that is already there. */
export function ready<T>(value: T): Lazy<T> {
  return () => Promise.resolve(value);
}
