import { setImmediate } from "node:timers/promises";

/**
 * A path or name as bytes, one character a byte. File names are bytes on Linux, and not all of
 * them are UTF-8; as such strings they can still be joined, compared and sorted in byte order.
 */
export type Raw = string & { readonly raw?: never };

export const toRaw = (text: string): Raw => Buffer.from(text, "utf8").toString("latin1");
export const toBytes = (raw: Raw): Buffer => Buffer.from(raw, "latin1");
/** For messages and patterns; bytes that are no UTF-8 become U+FFFD. */
export const toText = (raw: Raw): string => toBytes(raw).toString("utf8");
export const joinRaw = (folder: Raw, name: Raw): Raw =>
  folder === "" ? name : name === "" ? folder : `${folder}/${name}`;

const SLICE_MS = 8;

/**
 * Lets other work run, if this has had its slice. Walks use synchronous calls, which are several
 * times faster than a trip through the thread pool for each of 100,000 small calls.
 */
export function breather(signal?: AbortSignal): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < SLICE_MS) return undefined;
    return setImmediate().then(() => {
      since = performance.now();
      signal?.throwIfAborted();
    });
  };
}
