import { mkdir, readFile } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

import type { Architecture } from "../architecture.js";
import { debianMirror } from "../packages.js";
import { run, start, type Running } from "../run.js";
import { SOURCE_DATE_EPOCH } from "./oci.js";
import { folderHeader } from "./tar.js";
import type { BusyboxImage, DebianImage, NodeImage } from "./table.js";

/** A program and its arguments. */
type Command = [string, ...string[]];

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Cleans a new root up; part of the recipe of every Debian image. */
export const SLIM = fileURLToPath(new URL("slim.sh", import.meta.url));

/** Folders whose contents only people read. */
const UNREAD = ["doc", "man", "info", "locale", "lintian"];

/**
 * Makes a root file system of Debian packages and hands its tar stream to `use`.
 *
 * @returns What `use` gave, and the environment learned on the way: `PYTHON_VERSION` where there is
 *   a Python.
 */
export async function debianRoot<T>(
  image: DebianImage | NodeImage,
  architecture: Architecture,
  scratch: string,
  use: (tar: Readable) => Promise<T>,
): Promise<{ layer: T; env: Record<string, string> }> {
  const facts = join(scratch, "facts");
  await mkdir(facts, { recursive: true });
  const running = await mmdebstrap(
    [
      "--variant=minbase",
      `--architectures=${architecture}`,
      "--skip=output/dev",
      "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
      `--include=${["usr-is-merged", ...image.packages].join(",")}`,
      ...UNREAD.map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
      "--dpkgopt=force-unsafe-io",
      `--customize-hook=${SLIM}`,
    ],
    image.suite,
    "-",
    scratch,
    { FACTS: facts },
  );
  let layer: T;
  try {
    layer = await use(Readable.from(withDev(running.stdout)));
  } catch (error) {
    // Nobody reads on: without this the command would wait for ever.
    running.stdout.destroy();
    await running.done.catch(() => undefined);
    throw error;
  }
  await running.done;
  const python = await readFile(join(facts, "python-version"), "utf8").catch(() => undefined);
  return { layer, env: python === undefined ? {} : { PYTHON_VERSION: python } };
}

/**
 * Puts an empty /dev before a root's other entries: device nodes are the engine's, and a layer with
 * them can't be unpacked without root.
 */
async function* withDev(root: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield await folderHeader("./dev");
  yield* root;
}

/** Unpacks busybox of any architecture, without running it, and gives the path of the program. */
export async function busyboxProgram(
  image: BusyboxImage,
  architecture: Architecture,
  scratch: string,
): Promise<string> {
  const root = join(scratch, architecture);
  await mkdir(scratch, { recursive: true });
  const running = await mmdebstrap(
    ["--variant=extract", `--architectures=${architecture}`, "--include=busybox-static"],
    image.suite,
    root,
    scratch,
  );
  running.stdout.resume();
  await running.done;
  return join(root, "bin", "busybox");
}

async function mmdebstrap(
  options: string[],
  suite: string,
  target: string,
  scratch: string,
  env: Record<string, string> = {},
): Promise<Running> {
  const { archive, security } = await debianMirror();
  const sources = [`deb ${archive} ${suite} main`];
  if (security !== undefined) sources.push(`deb ${security} ${suite}-security main`);
  const [program, ...prefix] = await inMemory(["mmdebstrap"], scratch);
  return start(
    program,
    [...prefix, "--quiet", `--keyring=${KEYRING}`, ...options, suite, target, ...sources],
    {
      env: { ...hostEnvironment(), SOURCE_DATE_EPOCH: String(SOURCE_DATE_EPOCH), ...env },
      hint: "See /etc/apt for the mirror in use; SLIPWAY_CACHE and TMPDIR need some 1 GB free.",
    },
  );
}

/**
 * Puts a command's temporary files in memory: dpkg waits for the disk at every step, which is most
 * of the time. The mount is the command's own and goes with it.
 *
 * @returns The command as it was without the memory or the privilege; it is only slower then.
 */
async function inMemory(command: Command, scratch: string): Promise<Command> {
  if (process.getuid?.() !== 0 || freemem() < 4 * 2 ** 30) return command;
  const mounted = 'mount -t tmpfs -o mode=1777 tmpfs "$0" && TMPDIR="$0" exec "$@"';
  const folder = join(scratch, "tmp");
  await mkdir(folder, { recursive: true });
  const args = ["--mount", "--", "sh", "-c", mounted, folder];
  return await run("unshare", [...args, "true"]).then(
    (): Command => ["unshare", ...args, ...command],
    () => command,
  );
}

/** The machine's part of the environment: how to reach the network, and nothing that shapes the result. */
function hostEnvironment(): Record<string, string> {
  const kept = /^(PATH|HOME|TMPDIR|(https?|ftp|no|all)_proxy|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE)$/i;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      kept.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}
