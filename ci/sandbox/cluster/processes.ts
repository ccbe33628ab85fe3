import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { lastLines } from "../daemon.js";
import { SandboxError } from "../failure.js";
import type { Component, ComponentName } from "./components.js";
import { runInside, signalInside, startInside, type Place } from "./place.js";

interface Started {
  pid: number;
  command: readonly string[];
}

/**
 * The components of a cluster that were started. Their numbers and commands are in files, so that
 * whoever finds the cluster can end, freeze and start them.
 */
export class Processes {
  constructor(
    private readonly place: Place,
    /** Folder of programs that others start by their name. */
    private readonly path: string,
  ) {}

  async start(name: ComponentName, { command, files = {} }: Component): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.place.folder, "conf", path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text, { mode: 0o600 });
    }
    await this.#launch(name, command);
  }

  /** Starts one again that was started before, with the same command. */
  async startAgain(name: ComponentName): Promise<void> {
    const { pid, command } = await this.#find(name);
    if (await signalInside(this.place, pid, "0")) return;
    await this.#launch(name, command);
  }

  /** Whether one was started, and has not ended. */
  async runs(name: ComponentName): Promise<boolean> {
    const started = await this.#find(name).catch(() => undefined);
    return started !== undefined && (await signalInside(this.place, started.pid, "0"));
  }

  /** Sends a signal; gives false when the component does not run. */
  async signal(name: ComponentName, signal: string): Promise<boolean> {
    return await signalInside(this.place, (await this.#find(name)).pid, signal);
  }

  /** Ends one and waits until it has ended. */
  async kill(name: ComponentName, signal = "KILL"): Promise<void> {
    const { pid } = await this.#find(name);
    while (await signalInside(this.place, pid, signal)) await sleep(20);
  }

  /** @throws SandboxError naming a component that does not run any more, and what it said last. */
  async check(): Promise<void> {
    const names = (await readdir(this.#folder)) as ComponentName[];
    const started = await Promise.all(names.map(async (name) => (await this.#find(name)).pid));
    const script = 'for pid; do [ -d "/proc/$pid" ] || echo "$pid"; done';
    const gone = await runInside(this.place, ["sh", "-c", script, "sh", ...started.map(String)]);
    const name = names[started.indexOf(Number(gone.trim().split("\n")[0]))];
    if (gone !== "" && name !== undefined) throw await this.failure(name, "has ended");
  }

  /** What to say of a component that does not do what it should. */
  async failure(name: ComponentName, what: string): Promise<SandboxError> {
    const log = this.log(name);
    const said = (await lastLines(log, 8)).map((line) => `    ${line}`).join("\n");
    const { node } = this.place.link;
    return new SandboxError(
      `${name} of the cluster at ${node} ${what}:\n${said}`,
      `Its log: ${log}`,
    );
  }

  log(name: ComponentName): string {
    return join(this.place.folder, "log", name);
  }

  async #launch(name: ComponentName, command: readonly string[]): Promise<void> {
    const pid = await startInside(this.place, command, this.log(name), this.path);
    await mkdir(this.#folder, { recursive: true });
    const started: Started = { pid, command };
    await writeFile(join(this.#folder, name), JSON.stringify(started));
  }

  async #find(name: ComponentName): Promise<Started> {
    try {
      return JSON.parse(await readFile(join(this.#folder, name), "utf8")) as Started;
    } catch (cause) {
      throw new SandboxError(
        `The cluster has no ${name}.`,
        "Prometheus and MLflow are started when they are asked for.",
        { cause },
      );
    }
  }

  get #folder(): string {
    return join(this.place.folder, "processes");
  }
}
