import type { ChildProcess } from "node:child_process";

import { endEarly, takeProcess } from "./process.js";

/** How much of what a process printed is quoted when it dies without an answer. */
const TAIL = 4096;

/** One call: where the session is, and as whom; `registers` when it asks what the module has. */
interface Message {
  readonly port: number;
  readonly token: string;
  readonly registers: boolean;
}

type Output = (stream: "stdout" | "stderr", chunk: Buffer) => void;

/**
 * A process that runs functions of one module, one at a time, in an empty folder to work in, as in
 * Dagger.
 */
class Worker {
  private readonly process: ChildProcess;
  private readonly ready: Promise<void>;
  private output: Output = () => undefined;
  private tail = "";

  constructor({ sdk, ...module }: RunnableModule, workFolder: string) {
    this.process = takeProcess(sdk);
    for (const stream of ["stdout", "stderr"] as const) {
      this.process[stream]?.on("data", (chunk: Buffer) => {
        this.tail = (this.tail + chunk.toString("utf8")).slice(-TAIL);
        this.output(stream, chunk);
      });
    }
    this.ready = new Promise((resolve, reject) => {
      this.process.once("message", () => {
        resolve();
      });
      this.process.once("error", reject);
      this.process.once("exit", () => {
        resolve();
      });
    });
    this.ready.catch(() => undefined);
    this.process.send({ ...module, workFolder });
  }

  get alive(): boolean {
    return this.process.connected;
  }

  /** Resolves with nothing when the call is done, or with how the process ended before that. */
  async call(
    message: Message,
    output: Output,
    signal: AbortSignal,
  ): Promise<{ code: number | string; tail: string } | undefined> {
    this.output = output;
    this.tail = "";
    const kill = () => {
      this.kill();
    };
    signal.addEventListener("abort", kill, { once: true });
    try {
      await this.ready;
      return await new Promise((resolve) => {
        const ended = (code: number | null, how: NodeJS.Signals | null) => {
          resolve({ code: code ?? how ?? "unknown", tail: this.tail.trim() });
        };
        this.process.once("message", () => {
          this.process.off("close", ended);
          resolve(undefined);
        });
        if (!this.process.connected) ended(this.process.exitCode, this.process.signalCode);
        else {
          this.process.once("close", ended);
          this.process.send(message);
        }
      });
    } finally {
      signal.removeEventListener("abort", kill);
      this.output = () => undefined;
    }
  }

  kill(): void {
    this.process.kill("SIGKILL");
  }
}

/** What a process needs to know of its module. */
export interface RunnableModule {
  /** Which module this is. */
  readonly digest: string;
  /** Its TypeScript files and the core's types. */
  readonly files: readonly string[];
  /** Path of the SDK in one file. */
  readonly sdk: string;
  /** Path of the module in one file. */
  readonly bundle: string;
  /** Name of the module, as its dagger.json has it. */
  readonly name: string;
  /** Path where its types are kept, once a process has read them. */
  readonly types: string;
}

/** Processes of the modules of one session: kept between calls, one more when all are busy. */
export class Workers {
  private readonly idle = new Map<string, Worker[]>();
  private readonly all = new Set<Worker>();

  constructor(private readonly workFolder: string) {}

  /** Starts a process ahead of the first call. */
  prepare(module: RunnableModule): void {
    if (this.all.size > 0) return;
    const worker = new Worker(module, this.workFolder);
    this.all.add(worker);
    this.idle.set(module.digest, [worker]);
  }

  async call(
    module: RunnableModule,
    message: Message,
    output: Output,
    signal: AbortSignal,
  ): Promise<{ code: number | string; tail: string } | undefined> {
    signal.throwIfAborted();
    const free = this.idle.get(module.digest)?.pop();
    const worker = free ?? new Worker(module, this.workFolder);
    this.all.add(worker);
    const ended = await worker.call(message, output, signal);
    if (worker.alive && !signal.aborted) {
      this.idle.set(module.digest, [...(this.idle.get(module.digest) ?? []), worker]);
    } else {
      this.all.delete(worker);
    }
    return ended;
  }

  close(): void {
    endEarly();
    for (const worker of this.all) worker.kill();
    this.all.clear();
    this.idle.clear();
  }
}
