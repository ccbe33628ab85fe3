import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { cachePath } from "../../../../ci/sandbox/cache.js";
import { mirrors, registryAddress } from "../../../../ci/sandbox/registry.js";
import { ROOT } from "../../support/session.js";
import type { Service } from "./service.js";

/** A `slipway` command that runs. */
export interface Command {
  /** Sends it a signal, and nobody else. */
  readonly signal: (name: NodeJS.Signals) => void;
  /** How it ended: the exit code, null after a signal; and all that it printed. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

/** Starts a command in a service's project, as a person does in a terminal, with an engine of its own. */
export async function command(service: Service, words: readonly string[]): Promise<Command> {
  const program = join(ROOT, "ci", "cli", "slipway.mjs");
  const args = [program, ...words, "--engine", "embedded", "--progress", "plain"];
  const child = spawn(process.execPath, args, {
    cwd: service.folder.path,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      SLIPWAY_CACHE: cachePath("e2e"),
      SLIPWAY_MIRRORS: mirrors(registryAddress()),
      SLIPWAY_PYTHON_VERSION: "3.13",
      GITHUB_ACTOR: "ann",
      KUBE_CONFIG_DATA: await readFile(service.kubeconfig, "utf8"),
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return {
    signal: (name) => {
      child.kill(name);
    },
    ended: new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        resolve({ code, output });
      });
    }),
  };
}
