import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { endProcess, launch, untilUp, type DaemonOptions } from "./daemon.js";

/** A running mirror of advisories. */
export interface AdvisoryServer {
  /** Its base address; pip-audit is given `<url>/v1/query`. */
  url: string;
  stop: () => Promise<void>;
}

/** The sandbox's own records. */
export const ADVISORIES = fileURLToPath(new URL("advisories", import.meta.url));

const SERVER = fileURLToPath(new URL("../../src/stages/python/advisories.py", import.meta.url));

/**
 * Serves OSV records on loopback, on a port that the system picks. It ends with this process.
 *
 * @param folder Records, one JSON file each.
 * @throws SandboxError naming the file when one of them is not a record that can be matched.
 */
export async function startAdvisories(folder = ADVISORIES): Promise<AdvisoryServer> {
  const scratch = await mkdtemp(join(tmpdir(), "slipway-advisories-"));
  const daemon: DaemonOptions = {
    command: ["python3", SERVER, "--folder", folder],
    log: join(scratch, "log"),
    outlive: false,
  };
  const forget = (): Promise<void> => rm(scratch, { recursive: true, force: true });
  try {
    const pid = await launch(daemon);
    const hint = "Each file has to be an OSV record of PyPI; python3 needs packaging or pip.";
    const url = await untilUp(pid, daemon, hint, async () => {
      return /^http:\/\/127\.0\.0\.1:\d+$/m.exec(await readFile(daemon.log, "utf8"))?.[0];
    });
    const stop = async (): Promise<void> => {
      await endProcess(pid);
      await forget();
    };
    return { url, stop };
  } catch (error) {
    await forget();
    throw error;
  }
}
