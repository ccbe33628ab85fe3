import { EventEmitter } from "node:events";

/** What a watcher of the engine sees of one step. */
export type StepEvent =
  | { readonly event: "started"; readonly id: number; readonly name: string }
  | {
      readonly event: "output";
      readonly id: number;
      readonly stream: "stdout" | "stderr";
      readonly text: string;
    }
  | {
      readonly event: "ended";
      readonly id: number;
      readonly name: string;
      readonly state: "done" | "cached" | "failed" | "cancelled";
      readonly milliseconds: number;
      readonly error?: string;
    };

/** What a watcher of an engine that only plans sees. */
export type PlanEvent =
  /** A step of a plan, with the digests of those it needs directly. */
  | {
      readonly event: "planned";
      readonly digest: string;
      readonly name: string;
      readonly after: readonly string[];
    }
  /** A step of a plan whose result is in the cache. */
  | { readonly event: "known"; readonly digest: string };

export type EngineEvent = StepEvent | PlanEvent;

/** Tells whoever watches which steps run, which were cached, what they print. */
export class Events {
  private readonly emitter = new EventEmitter();
  private last = 0;

  watch(watcher: (event: EngineEvent) => void): () => void {
    this.emitter.on("step", watcher);
    return () => this.emitter.off("step", watcher);
  }

  /** A step that needed no work. */
  cached(name: string): void {
    this.emit({ event: "ended", id: ++this.last, name, state: "cached", milliseconds: 0 });
  }

  /** Runs `work` as a step with a name. */
  async step<T>(
    name: string,
    work: (output: (stream: "stdout" | "stderr", chunk: Buffer) => void) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const id = ++this.last;
    const started = performance.now();
    const end = (state: "done" | "failed" | "cancelled", error?: string) => {
      const milliseconds = Math.round(performance.now() - started);
      this.emit({ event: "ended", id, name, state, milliseconds, ...(error && { error }) });
    };
    this.emit({ event: "started", id, name });
    try {
      const result = await work((stream, chunk) => {
        this.emit({ event: "output", id, stream, text: chunk.toString("utf8") });
      });
      end("done");
      return result;
    } catch (error) {
      end(signal.aborted ? "cancelled" : "failed", (error as Error).message);
      throw error;
    }
  }

  emit(event: EngineEvent): void {
    this.emitter.emit("step", event);
  }
}
