/**
 * Work that is done at most once at a time, whoever asks for it. Each asker has its own abort
 * signal; the work is cancelled when the last asker is gone. Success is kept, failure is not:
 * the next asker tries again.
 */
export class SharedWork<T> {
  private readonly running = new Map<string, Running<T>>();

  get(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    let entry = this.running.get(key);
    if (!entry) {
      entry = this.start(key, work);
      this.running.set(key, entry);
    }
    return entry.settled || !signal ? entry.promise : entry.waitWith(signal);
  }

  private start(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const forget = (entry: Running<T>) => {
      if (this.running.get(key) === entry) this.running.delete(key);
    };
    const entry = new Running<T>(controller, () => {
      forget(entry);
    });
    // The first await keeps a chain of thousands of steps from growing the stack.
    entry.promise = Promise.resolve()
      .then(() => work(controller.signal))
      .then(
        (value) => {
          entry.settled = true;
          return value;
        },
        (error: unknown) => {
          entry.settled = true;
          forget(entry);
          throw error;
        },
      );
    entry.promise.catch(() => undefined);
    return entry;
  }
}

class Running<T> {
  promise!: Promise<T>;
  settled = false;
  private waiters = 0;

  constructor(
    private readonly controller: AbortController,
    private readonly abandoned: () => void,
  ) {}

  async waitWith(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.waiters += 1;
    let stay: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      stay = whenAborted(signal, () => {
        reject(signal.reason as Error);
      });
    });
    try {
      return await Promise.race([this.promise, left]);
    } finally {
      stay?.();
      this.waiters -= 1;
      if (this.waiters === 0 && !this.settled) {
        this.abandoned();
        this.controller.abort(signal.reason);
      }
    }
  }
}

const leaving = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when the signal aborts; gives what takes that back. One listener for all of a signal: it
 * looks at each that it has before it takes another one, and thousands may wait with one signal.
 */
function whenAborted(signal: AbortSignal, leave: () => void): () => void {
  let all = leaving.get(signal);
  if (!all) {
    const own = new Set<() => void>();
    signal.addEventListener("abort", () => {
      for (const each of own) each();
    });
    leaving.set(signal, (all = own));
  }
  const own = all;
  own.add(leave);
  return () => {
    own.delete(leave);
  };
}
