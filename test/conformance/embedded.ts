/**
 * Runs the conformance cases against the embedded engine, in a store of its own, with the sandbox's
 * images and a registry that lives as long as the run. Takes the arguments of run.ts.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { ensureRegistry, mirrors, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";

const HERE = dirname(fileURLToPath(import.meta.url));
const CI = join(HERE, "..", "..", "ci");
const TSX = ["--no-warnings", "--import", "tsx"];

/** The line that the engine prints when it is ready. */
interface Ready {
  port: number;
  session_token: string;
}

await run(process.execPath, [...TSX, join(CI, "sandbox", "images.ts"), "--quiet"]);
const { address } = await ensureRegistry();
const registry = await startRegistry();
const cache = await mkdtemp(join(tmpdir(), "slipway-conformance-"));
const engine = spawn(
  process.execPath,
  ["--stack-size=3900", join(CI, "engine", "start.mjs"), "main"],
  {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, SLIPWAY_CACHE: cache, SLIPWAY_MIRRORS: mirrors(address) },
  },
);
try {
  const lines = createInterface({ input: engine.stdout });
  const [line] = (await Promise.race([
    once(lines, "line"),
    once(engine, "exit").then(() => {
      throw new Error("The engine ended before it was ready.");
    }),
  ])) as [string];
  const { port, session_token } = JSON.parse(line) as Ready;
  const cases = spawn(process.execPath, [...TSX, join(HERE, "run.ts"), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: {
      ...process.env,
      DAGGER_SESSION_PORT: String(port),
      DAGGER_SESSION_TOKEN: session_token,
      CONFORMANCE_REGISTRY: registry.address,
    },
  });
  const [code] = (await once(cases, "close")) as [number | null];
  process.exitCode = code ?? 1;
} finally {
  const ended = engine.exitCode === null ? once(engine, "exit") : Promise.resolve();
  engine.stdin.end();
  await ended;
  await registry.stop();
  await rm(cache, { recursive: true, force: true });
}
