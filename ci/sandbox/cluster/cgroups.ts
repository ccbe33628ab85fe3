import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, readdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { SandboxError } from "../failure.js";

const ROOT = "/sys/fs/cgroup";

/** The hierarchies of cgroups that this machine has, e.g. `cpu,cpuacct` or `name=systemd`. */
function hierarchies(): string[] {
  return readFileSync("/proc/self/cgroup", "utf8")
    .trim()
    .split("\n")
    .flatMap((line) => line.split(":")[1] ?? [])
    .filter((controllers) => controllers !== "" && existsSync(folderOf(controllers)));
}

function folderOf(controllers: string): string {
  return join(ROOT, controllers.replace("name=", ""));
}

/**
 * Whether a cluster can be counted here: to be asked before anything is built for one.
 *
 * @throws SandboxError where the machine has no hierarchy of the first version.
 */
export function requireCgroups(found: readonly string[] = hierarchies()): void {
  if (found.some((controllers) => controllers.split(",").includes("memory"))) return;
  throw new SandboxError(
    "This machine has cgroups of version 2 alone; the sandbox's cluster needs version 1.",
    "Boot with systemd.unified_cgroup_hierarchy=0, or use a cluster that you have.",
  );
}

/** As many as the processes of a cluster would have if they were not counted together. */
const CPU_SHARES = 16 * 1024;

/** What a cluster's processes may be counted in: one folder in each hierarchy, of this name. */
export class Cgroups {
  constructor(readonly name: string) {}

  /** @throws SandboxError where the machine has no hierarchy of the first version. */
  async create(): Promise<void> {
    requireCgroups();
    for (const controllers of hierarchies()) {
      const folder = join(folderOf(controllers), this.name);
      await mkdir(folder, { recursive: true });
      if (controllers.split(",").includes("cpu"))
        await writeFile(join(folder, "cpu.shares"), String(CPU_SHARES));
      if (!controllers.includes("cpuset")) continue;
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        await copyFile(join(folderOf(controllers), file), join(folder, file));
      }
    }
  }

  /** Shell commands by which a process on the host goes into all of them. */
  get enter(): string {
    return this.folders.map((folder) => `echo 0 > ${folder}/cgroup.procs`).join("\n");
  }

  /** Shell commands that mount them where a node looks, in a namespace whose root they are. */
  static get mount(): string {
    return [
      `mount -t tmpfs -o mode=755 tmpfs ${ROOT}`,
      ...hierarchies().map((each) => {
        const folder = folderOf(each);
        const options = each.startsWith("name=") ? `none,${each}` : each;
        return `mkdir ${folder} && mount -t cgroup -o ${options} cgroup ${folder}`;
      }),
      // Where two are one, each has its name too.
      ...hierarchies()
        .filter((each) => each.includes(","))
        .flatMap((each) => each.split(",").map((one) => `ln -s ${each} ${join(ROOT, one)}`)),
    ].join("\n");
  }

  /** Shell command by which a process inside of the namespace goes into all of them. */
  static readonly enterInside = `for c in ${ROOT}/*/cgroup.procs; do echo 0 > "$c"; done`;

  /** The folders on the host. */
  get folders(): string[] {
    return hierarchies().map((each) => join(folderOf(each), this.name));
  }

  /** Removes what a guardian that was killed left; the processes are dead then. */
  async remove(): Promise<void> {
    for (const folder of this.folders.filter(existsSync)) await removeTree(folder);
  }
}

/** The files of a cgroup cannot be removed, its folders can. */
async function removeTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  }
  await rmdir(folder);
}
