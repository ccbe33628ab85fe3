import { readFileSync } from "node:fs";
import { posix } from "node:path";

import { dag, type Directory } from "@dagger.io/dagger";

/** Where the programs are, in each container, that run other programs and ask the cluster; k6's is among them. */
export const SCRIPTS = "/slipway-scripts";

const FILES = [
  "k6/load.js",
  "python/answers.py",
  "python/cluster.py",
  "python/forwards.py",
  "python/load.py",
  "python/metrics.py",
  "python/proxy.py",
  "python/requests.py",
  "python/smoke.py",
  "python/tunnel.py",
  "python/with_proxy.py",
];

/** The command line of one of them, with a `kubectl proxy` that starts before the rest of it. */
export function withProxy(
  program: "load" | "requests" | "smoke" | "tunnel",
  ...args: readonly string[]
): string[] {
  return ["python3", `${SCRIPTS}/with_proxy.py`, program, ...args];
}

/** What is there. */
export function scripts(): Directory {
  return FILES.reduce((folder, name) => {
    const text = readFileSync(new URL(name, import.meta.url), "utf8");
    return folder.withNewFile(posix.basename(name), text);
  }, dag.directory());
}
