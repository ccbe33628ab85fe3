import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { ensureTool } from "../../../ci/sandbox/tools.js";

/** A pod as kubectl shows it, served by this process. */
interface Pod {
  readonly name: string;
  readonly server: Server;
}

/** Pods on this machine's loopback, and a stand-in for kubectl that finds them. */
export interface LocalCluster {
  readonly folder: string;
  /** Environment in which `kubectl` and `k6` are found. */
  readonly env: NodeJS.ProcessEnv;
  /** Adds a pod of a version. */
  add: (track: string, name: string, answer: RequestListener) => Promise<void>;
  /** Rewrites what kubectl shows of a pod. */
  show: (
    track: string,
    name: string,
    status: { ready?: boolean; restarts?: number },
  ) => Promise<void>;
  /** Ends the forwards to a pod, with what kubectl says then. */
  break: (name: string, said: string) => Promise<void>;
  close: () => Promise<void>;
}

/** Answers well. */
export const good: RequestListener = (request, response) => {
  request.resume();
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ host: request.headers.host, species: "setosa" }));
};

const KUBECTL = fileURLToPath(new URL("kubectl.py", import.meta.url));

export async function localCluster(): Promise<LocalCluster> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-analysis-"));
  const bin = join(folder, "bin");
  await mkdir(bin);
  await copyFile(KUBECTL, join(bin, "kubectl"));
  await chmod(join(bin, "kubectl"), 0o755);
  await symlink(await ensureTool("k6"), join(bin, "k6"));
  const pods: Pod[] = [];
  const shown = new Map<string, Map<string, object>>();
  const write = async (track: string): Promise<void> => {
    const items = [...(shown.get(track) ?? new Map<string, object>()).values()];
    await writeFile(join(folder, `${track}.json`), JSON.stringify({ items }));
  };
  const show: LocalCluster["show"] = async (track, name, { ready = true, restarts = 0 }) => {
    const all = shown.get(track) ?? new Map<string, object>();
    shown.set(track, all);
    all.set(name, {
      metadata: { name, uid: `uid-of-${name}`, labels: { "slipway.dev/track": track } },
      status: {
        phase: "Running",
        conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
        containerStatuses: [{ restartCount: restarts, state: { running: {} } }],
      },
    });
    await write(track);
  };
  return {
    folder,
    env: { ...process.env, CLUSTER: folder, PATH: `${bin}:${process.env.PATH ?? ""}` },
    add: async (track, name, answer) => {
      const server = createServer(answer).listen(0, "127.0.0.1");
      await once(server, "listening");
      pods.push({ name, server });
      const { port } = server.address() as AddressInfo;
      await writeFile(join(folder, `${name}.port`), `${port}`);
      await show(track, name, {});
    },
    show,
    break: async (name, said) => {
      await writeFile(join(folder, `${name}.break`), said);
    },
    close: async () => {
      for (const { server } of pods) {
        server.closeAllConnections();
        server.close();
      }
      await rm(folder, { recursive: true });
    },
  };
}
