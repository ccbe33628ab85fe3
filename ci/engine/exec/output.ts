import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { Launched } from "./launch.js";
import { commandError, isExecFailure } from "./messages.js";
import { Scrubber } from "./scrub.js";
import type { BlobRef } from "../store/types.js";
import type { ExecStorage } from "./storage.js";
import type { OutputStream } from "./types.js";

/** Most outputs are small: they are kept in memory up to here, and stream to the store from here on. */
const IN_MEMORY = 256 * 1024;

const RUNTIME_WORDS = /^(\{"msg":|(executable file|open executable|exec|mount|run[cC])\b)/;
const MAX_HELD = 4096;

/**
 * What `command` wrote to its stderr. The runtime complains there too: what looks like that is held back until the end
 * tells whose words they are, and a command that could not be started gets the message it has in Dagger.
 * Throws when the container could not be made.
 */
export async function* commandWords(
  source: AsyncIterable<Buffer>,
  command: string,
  exited: Launched["exited"],
): AsyncGenerator<Buffer> {
  let held: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of source) {
    if (held === undefined) {
      yield chunk;
      continue;
    }
    held = Buffer.concat([held, chunk]);
    if (held.length < MAX_HELD && RUNTIME_WORDS.test(held.toString())) continue;
    yield held;
    held = undefined;
  }
  const words = held?.toString() ?? "";
  const { exitCode, failure = exitCode === 1 && isExecFailure(words) ? words : undefined } =
    await exited;
  if (failure !== undefined) yield Buffer.from(`${commandError(command, failure)}\n`);
  else if (held !== undefined) yield held;
}

class BlobSink {
  private chunks: Buffer[] = [];
  private bytes = 0;
  private stream: PassThrough | undefined;
  private stored: Promise<BlobRef> | undefined;

  constructor(private readonly blobs: ExecStorage["blobs"]) {}

  async write(chunk: Buffer): Promise<void> {
    if (this.stream === undefined) {
      this.chunks.push(chunk);
      this.bytes += chunk.length;
      if (this.bytes <= IN_MEMORY) return;
      this.stream = new PassThrough();
      this.stored = this.blobs.put(this.stream);
      this.stored.catch(() => undefined); // reported by finish()
      chunk = Buffer.concat(this.chunks);
      this.chunks = [];
    }
    // A store that fails (disk full) stops reading: without the race nobody would wake us up.
    if (!this.stream.write(chunk)) await Promise.race([once(this.stream, "drain"), this.stored]);
  }

  finish(): Promise<BlobRef> {
    if (this.stored === undefined) return this.blobs.put(Buffer.concat(this.chunks));
    this.stream?.end();
    return this.stored;
  }

  abandon(): void {
    this.chunks = [];
    this.stream?.destroy(new Error("the execution did not finish"));
  }
}

/** Takes both output streams of one process: scrubs them, shows them, and keeps them in the store. */
export class OutputRecorder {
  private readonly sinks: Record<OutputStream | "combined", BlobSink>;

  constructor(
    blobs: ExecStorage["blobs"],
    private readonly secrets: readonly Buffer[],
    private readonly onOutput?: (stream: OutputStream, chunk: Buffer) => void,
  ) {
    this.sinks = {
      stdout: new BlobSink(blobs),
      stderr: new BlobSink(blobs),
      combined: new BlobSink(blobs),
    };
  }

  /** Reads `source` to its end. */
  async record(stream: OutputStream, source: AsyncIterable<Buffer>): Promise<void> {
    const scrubber = new Scrubber(this.secrets);
    for await (const chunk of source) await this.emit(stream, scrubber.push(chunk));
    await this.emit(stream, scrubber.end());
  }

  async emit(stream: OutputStream, chunk: Buffer): Promise<void> {
    if (chunk.length === 0) return;
    this.onOutput?.(stream, chunk);
    await this.sinks[stream].write(chunk);
    await this.sinks.combined.write(chunk);
  }

  async finish(): Promise<Record<OutputStream | "combined", BlobRef>> {
    const [stdout, stderr, combined] = await Promise.all([
      this.sinks.stdout.finish(),
      this.sinks.stderr.finish(),
      this.sinks.combined.finish(),
    ]);
    return { stdout, stderr, combined };
  }

  abandon(): void {
    for (const sink of Object.values(this.sinks)) sink.abandon();
  }
}
