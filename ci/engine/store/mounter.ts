import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";

import { missing } from "./process.js";
import { StoreError } from "./failure.js";

interface Pending {
  resolve: (output: string) => void;
  reject: (error: Error) => void;
}

/**
 * A shell with a mount namespace of its own. It mounts, and it holds the process's locks (flock on
 * its open files), so that when this process dies, in whatever way, the kernel takes back both.
 */
export class Mounter {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #mark: string;
  readonly #queue: Pending[] = [];
  #output = "";
  #errors = "";
  #dead: Error | undefined;

  constructor(cwd: string, mark: string) {
    this.#mark = `@${mark} `;
    // exec keeps the process id: /proc/<pid>/root is the private view for as long as this lives.
    this.#child = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", "--mount", "sh"], {
      cwd,
      // Ctrl-C in a terminal is for this process, which then closes the store in order.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, LC_ALL: "C" },
    });
    this.#child.on("error", (error) => {
      this.#fail("code" in error && error.code === "ENOENT" ? missing("setpriv") : error);
    });
    this.#child.on("exit", () => {
      this.#fail(new StoreError(`The store's mount process ended: ${this.#errors || "killed"}`));
    });
    this.#child.stdin.on("error", () => undefined);
    this.#child.stderr.on("data", (chunk: Buffer) => {
      if (this.#errors.length < 2000) this.#errors += chunk.toString();
    });
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#read(chunk.toString());
    });
    // A store that is not closed must not keep the process alive.
    this.#child.unref();
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) {
      (stream as unknown as { unref?: () => void }).unref?.();
    }
  }

  /** Prefix that turns an absolute path into the same path as the mounter sees it. */
  get root(): string {
    return `/proc/${this.#child.pid ?? 0}/root`;
  }

  /** Runs shell words, one after the other with those of other callers; returns what they print. */
  do(script: string): Promise<string> {
    if (this.#dead) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => {
      this.#queue.push({ resolve, reject });
      this.#hold(true);
      this.#child.stdin.write(`{ ${script}\n} </dev/null 2>&1; echo "${this.#mark}$?"\n`);
    });
  }

  /** Mounts an overlay whose relative names start at the mounter's working directory. */
  async mount(options: string, target: string): Promise<void> {
    try {
      await this.do(`mount -t overlay -o '${options}' overlay ${quote(target)}`);
    } catch (error) {
      throw new StoreError(
        `The overlay at ${target} cannot be mounted: ${error instanceof Error ? error.message : String(error)}. ` +
          "It needs root, and a file system such as ext4, xfs or tmpfs; set SLIPWAY_CACHE to a folder on one.",
        "EMOUNT",
        { cause: error },
      );
    }
  }

  async unmount(target: string): Promise<void> {
    await this.do(`umount ${quote(target)}`);
  }

  close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#child.ref();
      this.#child.once("exit", () => {
        resolve();
      });
      this.#dead ??= new StoreError("The store is closed");
      this.#child.kill("SIGKILL");
    });
  }

  #read(chunk: string): void {
    this.#output += chunk;
    for (;;) {
      const at = this.#output.indexOf(this.#mark);
      const end = at < 0 ? -1 : this.#output.indexOf("\n", at);
      if (end < 0) return;
      const code = this.#output.slice(at + this.#mark.length, end);
      const text = this.#output.slice(0, at);
      this.#output = this.#output.slice(end + 1);
      const pending = this.#queue.shift();
      if (this.#queue.length === 0) this.#hold(false);
      if (code === "0") pending?.resolve(text);
      else pending?.reject(new StoreError(text.trim() || `exit code ${code}`));
    }
  }

  #hold(busy: boolean): void {
    const stdout = this.#child.stdout as unknown as { ref(): void; unref(): void };
    if (busy) stdout.ref();
    else stdout.unref();
  }

  #fail(error: Error): void {
    this.#dead ??= error;
    for (const pending of this.#queue.splice(0)) pending.reject(this.#dead);
  }
}

/** One shell word. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
