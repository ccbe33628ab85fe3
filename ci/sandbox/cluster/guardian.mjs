/**
 * The process that holds a cluster: makes its namespaces and its link to the host, serves it the
 * host's registries, and cleans up when it ends, whatever ends it.
 *
 *     node guardian.mjs FOLDER PLAN
 *
 * PLAN is JSON, see `Plan` in place.ts. Plain JavaScript: it has to be there at once.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

import { serveRegistries } from "./registries.mjs";

const run = promisify(execFile);
const [folder, text] = process.argv.slice(2);
const plan = JSON.parse(text);

async function main() {
  const node = spawn(
    "setpriv",
    // prettier-ignore
    ["--pdeathsig", "KILL", "sh", "-c", `${plan.enter}\nexec "$@"`, "sh",
      "unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child=KILL",
      "--mount-proc", "bash", plan.script, folder],
    { stdio: ["pipe", "pipe", "inherit"], env: { PATH: process.env.PATH, ...plan.env } },
  );
  const ended = once(node, "exit");
  try {
    const first = await Promise.race([once(node.stdout, "data"), ended.then(() => undefined)]);
    if (first === undefined) throw new Error("The namespaces of the node cannot be made.");
    // unshare's only child is the first process of the new namespaces.
    const children = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, "utf8");
    const init = Number(children.trim().split(" ")[0]);
    const link = await connect(init);
    node.stdin.end("go\n");
    const registries = await serveRegistries(link.host, plan.mirrors);
    const place = { folder, guardian: process.pid, init, link, registries };
    writeFileSync(join(folder, "place.tmp"), JSON.stringify(place));
    renameSync(join(folder, "place.tmp"), join(folder, "place.json"));
    const told = new Promise((resolve) => {
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.once(signal, resolve);
      if (!plan.outlive) process.stdin.once("end", resolve).resume();
    });
    await Promise.race([told, ended]);
  } finally {
    node.kill("SIGKILL");
    await ended;
    await removeCgroups();
  }
}

/** Connects the node to the host over the first link that is free. */
async function connect(init) {
  for (const link of plan.links) {
    const { device, host, node } = link;
    const peer = ["peer", "name", "eth0", "netns", String(init)];
    try {
      await run("ip", ["link", "add", device, "type", "veth", ...peer]);
    } catch (error) {
      if (String(error).includes("File exists")) continue;
      throw error;
    }
    await run("ip", ["addr", "add", `${host}/30`, "dev", device]);
    await run("ip", ["link", "set", device, "up"]);
    const inside = ["--target", String(init), "--net"];
    await run("nsenter", [...inside, "sh", "-euc", plan.connect, "sh", `${node}/30`, host]);
    return link;
  }
  throw new Error("No address is free for another cluster.");
}

/** They are empty once all processes are gone, which takes a moment. */
async function removeCgroups() {
  for (const cgroup of plan.cgroups) {
    for (let tries = 0; existsSync(cgroup); tries += 1) {
      try {
        removeTree(cgroup);
      } catch (error) {
        if (tries === 250) throw error;
        await sleep(20);
      }
    }
  }
}

/** The files of a cgroup cannot be removed, its folders can. */
function removeTree(path) {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(path, entry.name));
  }
  rmdirSync(path);
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  },
);
