import { duration } from "../../../src/core/text.js";
import { harmless } from "../harmless.js";

/** Lines of a failed step's output that are shown. */
const TAIL_LINES = 20;
const TAIL_BYTES = 16 << 10;

/** A step's name as one line of at most `width` columns. */
export function oneLine(name: string, width = 100): string {
  const line = harmless(name).replace(/\s+/g, " ").trim();
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

/** Keeps the end of what a step printed. */
export class Tail {
  private text = "";

  add(text: string): void {
    this.text = (this.text + text).slice(-TAIL_BYTES);
  }

  lines(): string[] {
    // Carriage returns redraw a line: what they took away does not belong in a quotation.
    return harmless(this.text.replace(/[^\n]*\r(?!\n)/g, ""))
      .split("\n")
      .filter((line) => line !== "")
      .slice(-TAIL_LINES);
  }
}

/** `12 done, 30 cached, 1 failed in 4.2 s` */
export function tally(counts: ReadonlyMap<string, number>, milliseconds: number): string {
  const parts = ["done", "cached", "failed", "cancelled"].flatMap((state) => {
    const count = counts.get(state) ?? 0;
    return count > 0 ? [`${count} ${state}`] : [];
  });
  return `${parts.length > 0 ? `steps: ${parts.join(", ")}` : "no steps"} in ${duration(milliseconds)}`;
}
