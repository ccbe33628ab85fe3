import { duration } from "../../../src/core/text.js";
import type { StepEvent } from "../../engine/events.js";
import { oneLine, Tail, tally } from "./text.js";

/** One line when a step starts and one when it ends; for logs. */
export class PlainProgress {
  private readonly running = new Map<number, { name: string; tail: Tail }>();
  private readonly counts = new Map<string, number>();
  private readonly began = performance.now();

  constructor(private readonly out: { write(text: string): unknown }) {}

  step(event: StepEvent): void {
    if (event.event === "started") {
      this.running.set(event.id, { name: event.name, tail: new Tail() });
      this.line("start", event.name);
    } else if (event.event === "output") {
      this.running.get(event.id)?.tail.add(event.text);
    } else {
      this.end(event);
    }
  }

  /** A line of what a function says. */
  say(line: string): void {
    this.out.write(`${" ".repeat(10)}${oneLine(line, 200)}\n`);
  }

  finish(): void {
    if (this.counts.size === 0) return;
    this.out.write(`${tally(this.counts, performance.now() - this.began)}\n`);
  }

  private end(event: Extract<StepEvent, { event: "ended" }>): void {
    const tail = this.running.get(event.id)?.tail;
    this.running.delete(event.id);
    this.counts.set(event.state, (this.counts.get(event.state) ?? 0) + 1);
    const took = event.state === "cached" ? "" : ` (${duration(event.milliseconds)})`;
    this.line(event.state, `${oneLine(event.name)}${took}`);
    if (event.state !== "failed") return;
    for (const line of tail?.lines() ?? []) this.out.write(`          | ${line}\n`);
  }

  private line(state: string, text: string): void {
    this.out.write(`${state.padEnd(9)} ${oneLine(text, 140)}\n`);
  }
}
