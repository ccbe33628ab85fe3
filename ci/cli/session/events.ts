import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { EngineEvent } from "../../engine/events.js";

/** Calls `onStep` for each line of JSON; a line that is cut by the engine's end is dropped. */
export function readEvents(stream: Readable, onStep: (event: EngineEvent) => void): void {
  stream.on("error", () => undefined);
  createInterface({ input: stream }).on("line", (line) => {
    let event: EngineEvent;
    try {
      event = JSON.parse(line) as EngineEvent;
    } catch {
      return;
    }
    onStep(event);
  });
}
