import pc from "picocolors";
import { duration } from "../../../src/core/text.js";
import type { StepEvent } from "../../engine/events.js";
import { oneLine, Tail, tally } from "./text.js";

const FRAME_MS = 100;
const MAX_ROWS = 12;
const CLEAR_BELOW = "\u001b[0J";

interface Running {
  readonly name: string;
  readonly since: number;
  readonly tail: Tail;
}

/**
 * The steps that run, redrawn in place: name, elapsed time, the last line each printed. What ended
 * is counted; what failed stays on the screen with the end of its output.
 */
export class LiveProgress {
  private readonly running = new Map<number, Running>();
  private readonly counts = new Map<string, number>();
  private readonly began = performance.now();
  private readonly timer: NodeJS.Timeout;
  private rows = 0;

  constructor(private readonly out: NodeJS.WriteStream) {
    this.timer = setInterval(() => {
      this.draw();
    }, FRAME_MS);
    this.timer.unref();
  }

  step(event: StepEvent): void {
    if (event.event === "started") {
      const since = performance.now();
      this.running.set(event.id, { name: event.name, since, tail: new Tail() });
    } else if (event.event === "output") {
      this.running.get(event.id)?.tail.add(event.text);
    } else {
      this.end(event);
    }
  }

  /** A line of what a function says; it stays on the screen. */
  say(line: string): void {
    this.erase();
    this.out.write(`${oneLine(line, 200)}\n`);
  }

  finish(): void {
    clearInterval(this.timer);
    this.erase();
    if (this.counts.size === 0) return;
    this.out.write(`${pc.dim(tally(this.counts, performance.now() - this.began))}\n`);
  }

  private end(event: Extract<StepEvent, { event: "ended" }>): void {
    const step = this.running.get(event.id);
    this.running.delete(event.id);
    this.counts.set(event.state, (this.counts.get(event.state) ?? 0) + 1);
    if (event.state !== "failed") return;
    this.erase();
    const name = oneLine(event.name, this.width - 16);
    this.out.write(`${pc.red("✗")} ${name} ${pc.dim(duration(event.milliseconds))}\n`);
    for (const line of step?.tail.lines() ?? []) this.out.write(pc.dim(`  │ ${line}\n`));
  }

  private get width(): number {
    return Math.max(40, this.out.columns || 100);
  }

  private draw(): void {
    const now = performance.now();
    const shown = [...this.running.values()].slice(0, MAX_ROWS);
    const lines = shown.map(({ name, since, tail }) => {
      const time = duration(now - since);
      const label = oneLine(name, this.width - time.length - 6);
      const room = this.width - time.length - label.length - 8;
      const last = room > 15 ? oneLine(tail.lines().at(-1) ?? "", room) : "";
      return `${pc.cyan("●")} ${label} ${pc.dim(`${time} ${last}`.trim())}`;
    });
    const more = this.running.size - shown.length;
    if (more > 0) lines.push(pc.dim(`  and ${more} more`));
    lines.push(pc.dim(tally(this.counts, now - this.began)));
    this.erase();
    this.out.write(lines.map((line) => `${line}\n`).join(""));
    this.rows = lines.length;
  }

  /** Takes the cursor back to where the list begins, and the list away. */
  private erase(): void {
    if (this.rows === 0) return;
    this.out.write(`\u001b[${this.rows}A\r${CLEAR_BELOW}`);
    this.rows = 0;
  }
}
