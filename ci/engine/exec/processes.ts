import { readdir, readFile } from "node:fs/promises";
import { PID_FILE } from "./runtime.js";

/** How often to look whether a command has ended and left something behind. */
const LEFTOVERS_MS = 100;

/**
 * The process group that the command leads. engine → unshare → runtime → command, and whatever else ends up as a child
 * of the runtime: which one is the command is in a file, by its number in the runtime's PID namespace.
 */
export async function findCommand(
  runtime: number,
  bundle: string,
): Promise<"not yet" | "gone" | number> {
  const file = `/proc/${runtime}/root/${bundle}/${PID_FILE}`;
  const wanted = await readFile(file, "utf8").catch(() => "");
  if (wanted === "") return "not yet";
  for (const pid of await childrenOf(runtime)) {
    const [, , inside] = /^NSpid:\s+(\d+)\s+(\d+)/m.exec(await statusOf(pid, "status")) ?? [];
    if (inside === wanted.trim()) return pid;
  }
  return "gone";
}

export async function signalCommand(
  unshare: number,
  bundle: string,
  signal: NodeJS.Signals,
): Promise<void> {
  for (const runtime of await childrenOf(unshare)) {
    const command = await findCommand(runtime, bundle);
    if (typeof command === "number") send(-command, signal);
  }
}

/**
 * The runtime waits for everything that the command left in the background; under Dagger's init that ends with the
 * command. So when the command is gone and the runtime is not, all that is left gets killed. Returns how to stop looking.
 */
export function endLeftovers(unshare: number, bundle: string): () => void {
  let command: number | undefined;
  const look = async (): Promise<void> => {
    for (const runtime of await childrenOf(unshare)) {
      const found = await findCommand(runtime, bundle);
      if (typeof found === "number") command = found;
      if (found !== "gone") continue;
      // The kernel's list of children can be short while some of them end: ask the command itself.
      const status = command === undefined ? "" : await statusOf(command, "status");
      if (new RegExp(`^PPid:\\s+${runtime}$`, "m").test(status)) continue;
      for (const pid of await descendantsOf(runtime)) send(pid, "SIGKILL");
    }
  };
  const timer = setInterval(() => void look(), LEFTOVERS_MS);
  return () => {
    clearInterval(timer);
  };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function statusOf(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
}

/** Of all of its threads: runc starts the command from one of them. */
export async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(threads.map((id) => statusOf(pid, `task/${id}/children`)));
  return lists.flatMap((list) => list.trim().split(" ").filter(Boolean).map(Number));
}

async function descendantsOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}
