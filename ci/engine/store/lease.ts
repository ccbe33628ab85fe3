import { randomUUID } from "node:crypto";
import { join } from "node:path";

import { explain, StoreError } from "./failure.js";
import { Mounter } from "./mounter.js";

/**
 * The right to use a store, of which any number of processes can have one. The locks are flock's,
 * held by the mounter's shell, so that no way to die leaves one behind.
 */
export class Lease {
  private constructor(
    private readonly root: string,
    private readonly name: string,
    readonly mounter: Mounter,
  ) {}

  /** Folder for what is not complete; it goes with the lease. */
  get temporary(): string {
    return join(this.root, "tmp", this.name);
  }

  /** Waits while the store is pruned, then takes a lease and clears away what the dead have left. */
  static async take(root: string, cwd: string): Promise<Lease> {
    const name = `${process.pid}-${randomUUID().slice(0, 8)}`;
    const mounter = new Mounter(cwd, name);
    try {
      await mounter.do(script(name));
    } catch (error) {
      await mounter.close();
      throw explain(error, root);
    }
    return new Lease(root, name, mounter);
  }

  /** Process ids of all who hold one. */
  async holders(): Promise<number[]> {
    const held = 'for l in ../leases/*; do flock -n "$l" true || echo "${l##*/}"; done';
    const names = (await this.mounter.do(held)).split("\n").filter((name) => name !== "");
    return names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
  }

  /**
   * Runs `work` while nobody else can take a lease.
   *
   * @throws StoreError (EBUSY), naming them, when others hold one.
   */
  async exclusively<T>(work: () => Promise<T>): Promise<T> {
    try {
      await this.mounter.do("flock --nonblock --exclusive 9");
    } catch {
      // A failed change of lock may have lost the lock that was there.
      await this.mounter.do("flock --shared 9");
      const others = (await this.holders()).filter((pid) => pid !== process.pid);
      throw inUse(this.root, `process ${others.join(", ") || `${process.pid} a second time`}`);
    }
    try {
      return await work();
    } finally {
      await this.mounter.do("flock --shared 9");
    }
  }

  async release(): Promise<void> {
    const files = `../tmp/${this.name} ../leases/${this.name}`;
    await this.mounter.do(`rm -rf --one-file-system ${files}`).catch(() => undefined);
    await this.mounter.close();
  }
}

export function inUse(root: string, who: string): StoreError {
  return new StoreError(`${root} is in use by ${who}; prune it when that has ended`, "EBUSY");
}

/**
 * Lock 9 is shared by all who use the store, 8 says that the lease's owner lives, 7 is held while
 * leases are made and dead ones are cleared away.
 */
function script(name: string): string {
  return [
    "exec 9>../lock && flock --shared 9",
    "exec 7>../leases.lock && flock 7",
    'for l in ../leases/*; do [ -e "$l" ] && flock --nonblock "$l" rm -f "$l"; done',
    `exec 8>../leases/${name} && flock 8`,
    'dead=; for t in ../tmp/*; do [ -e "$t" ] || continue',
    '[ -e "../leases/${t##*/}" ] || dead="$dead $t"; done',
    `mkdir ../tmp/${name} && exec 7>&-`,
    "( exec 8>&- 9>&- >/dev/null 2>&1; rm -rf --one-file-system $dead ) &",
  ].join("\n");
}
