/** How long a command waits for its turn before it starts all the same, in milliseconds. */
const PATIENCE_MS = 3000;

/**
 * Lets `size` commands run at a time; the others wait in order of arrival. Commands may wait for
 * each other (through a cache volume, say), which Dagger, having no such limit, allows: one that
 * has waited for `patienceMs` starts although all places are taken.
 */
export class Slots {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(
    size: number,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    this.free = size;
  }

  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.take(signal);
    try {
      return await work();
    } finally {
      this.free += 1;
      if (this.free > 0) this.waiting.shift()?.();
    }
  }

  private async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.free <= 0) await this.turn(signal);
    this.free -= 1;
  }

  private turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (then: () => void) => () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", leave);
        const index = this.waiting.indexOf(start);
        if (index >= 0) this.waiting.splice(index, 1);
        then();
      };
      const start = settle(resolve);
      const leave = settle(() => {
        reject(signal.reason as Error);
      });
      const timer = setTimeout(start, this.patienceMs);
      this.waiting.push(start);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
