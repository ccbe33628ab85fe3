import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("a killed engine");
const SCRIPT = fileURLToPath(new URL("engine-process.ts", import.meta.url));

interface Engine {
  readonly child: ChildProcess;
  readonly folder: string;
  /** Resolves when it is as busy as it gets. */
  readonly ready: Promise<void>;
}

async function startEngine(): Promise<Engine> {
  const child = spawn(process.execPath, ["--import", "tsx", SCRIPT], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Kept until they are asked for: both may come at once.
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const first = (await lines.next()).value as string;
  const ready = lines.next().then(() => undefined);
  return { child, folder: first.replace("folder ", ""), ready };
}

/** All processes that descend from `pid`, as "pid start-time", so that a reused number is another process. */
async function descendants(pid: number): Promise<string[]> {
  const all = await processes();
  const found: string[] = [];
  const visit = (parent: number): void => {
    for (const entry of all) {
      if (entry.parent !== parent) continue;
      found.push(entry.key);
      visit(entry.pid);
    }
  };
  visit(pid);
  return found;
}

async function processes(): Promise<{ pid: number; parent: number; key: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")),
  );
  return stats.flatMap((stat) => {
    // The command in parentheses may contain anything, also blanks.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const pid = Number.parseInt(stat);
    return stat === ""
      ? []
      : [{ pid, parent: Number(fields[1]), key: `${pid} ${fields[19] ?? ""}` }];
  });
}

/** Kills it; gives how many processes went with it. */
async function killed({ child, folder }: Engine): Promise<number> {
  const family = await descendants(child.pid ?? 0);
  child.kill("SIGKILL");
  await once(child, "exit");
  let left = family;
  for (let attempt = 0; attempt < 100 && left.length > 0; attempt++) {
    await sleep(50);
    const alive = new Set((await processes()).map(({ key }) => key));
    left = left.filter((key) => alive.has(key));
  }
  assert.equal(left, [], "no process is left");
  // Without process and mount, the kernel has nothing that keeps a network namespace alive.
  assert.not.match(await readFile("/proc/self/mountinfo", "utf8"), folder);
  await rm(folder, { recursive: true });
  return family.length;
}

test("leaves no process and no mount, in the middle of everything", async () => {
  const engine = await startEngine();
  await engine.ready;
  assert.ok((await killed(engine)) > 2, "it had children");
});

test("leaves nothing at whatever moment it is killed", async () => {
  const families: number[] = [];
  for (const delay of [0, 30, 70, 130, 210, 340, 550, 890]) {
    const engine = await startEngine();
    await sleep(delay);
    families.push(await killed(engine));
  }
  assert.ok(Math.max(...families) > 2, `they had children: ${families.join(", ")}`);
});

test.run();
