import type { StepEvent } from "../../engine/events.js";

/** What a function of the module says in words while it runs, line by line. */
export class Narration {
  private readonly ids = new Set<number>();
  private rest = "";

  /** @param step Name of the function's step: `slipway.deploy`. */
  constructor(
    private readonly step: string,
    private readonly say: (line: string) => void,
  ) {}

  hear(event: StepEvent): void {
    if (event.event === "started" && event.name === this.step) this.ids.add(event.id);
    if (event.event !== "output" || event.stream !== "stdout" || !this.ids.has(event.id)) return;
    const lines = (this.rest + event.text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.say(line);
  }
}
