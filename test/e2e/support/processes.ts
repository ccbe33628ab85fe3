import { readdir, readFile } from "node:fs/promises";

/** Looks at the machine's processes until it is stopped. */
export interface Watch {
  /** Ends it; gives the processes that showed a secret, and where. */
  stop: () => string[];
}

/** @param program The one program (its first words) whose environment may hold the secrets; no arguments may. */
export function watch(secrets: readonly string[], program: string): Watch {
  const seen = new Set<string>();
  const holds = (text: string): boolean => secrets.some((value) => text.includes(value));
  const look = async (): Promise<void> => {
    for (const id of await readdir("/proc")) {
      if (!/^\d+$/.test(id) || Number(id) === process.pid) continue;
      const read = async (name: string): Promise<string> =>
        await readFile(`/proc/${id}/${name}`, "latin1").catch(() => "");
      const [command, environment] = await Promise.all([read("cmdline"), read("environ")]);
      const named = command.replaceAll("\0", " ").slice(0, 120);
      if (holds(command)) seen.add(`arguments of ${named}`);
      if (holds(environment) && !command.startsWith(`${program}\0`))
        seen.add(`environment of ${named}`);
    }
  };
  const timer = setInterval(() => void look(), 40);
  return {
    stop: () => {
      clearInterval(timer);
      return [...seen];
    },
  };
}
