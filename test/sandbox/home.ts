import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:net";
import { once } from "node:events";

import { cachePath } from "../../ci/sandbox/cache.js";

/** A cache folder and a port of the test's own; the tools stay those that are built already. */
export async function ownSandbox(): Promise<{ forget: () => Promise<void> }> {
  const before = { ...process.env };
  const tools = cachePath("tools");
  await mkdir(tools, { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), "slipway-test-"));
  await symlink(tools, join(folder, "tools"));
  process.env.SLIPWAY_CACHE = folder;
  process.env.SLIPWAY_REGISTRY_PORT = String(await freePort());
  return {
    forget: async () => {
      for (const name of ["SLIPWAY_CACHE", "SLIPWAY_REGISTRY_PORT"]) {
        if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[name];
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
