import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { run } from "../../ci/sandbox/run.js";
import {
  ensureRegistry,
  registryAddress,
  registryStatus,
  startRegistry,
  stopRegistry,
} from "../../ci/sandbox/registry.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { ownSandbox } from "./home.js";

const persistent = suite("the sandbox's registry");
let home: { forget: () => Promise<void> };

persistent.before(async () => {
  await ensureTool("docker-registry");
  home = await ownSandbox();
});
persistent.after(async () => {
  await stopRegistry();
  await home.forget();
});

persistent("starts once and answers", async () => {
  const [first, second] = await Promise.all([ensureRegistry(), ensureRegistry()]);
  assert.equal(first, second);
  const { address, pid } = await registryStatus();
  assert.is(address, first.address);
  assert.type(pid, "number");
  assert.is((await fetch(`http://${address}/v2/`)).status, 200);
});

persistent("keeps what was pushed when it is stopped and started", async () => {
  const { address } = await ensureRegistry();
  const reference = `${address}/test/kept:1`;
  const crane = await ensureTool("crane");
  await run(crane, ["append", "--oci-empty-base", "-f", await emptyTar(), "-t", reference]);
  const digest = await run(crane, ["digest", reference]);
  assert.is(await stopRegistry(), true);
  assert.is((await registryStatus()).pid, undefined);
  await ensureRegistry();
  assert.is(await run(crane, ["digest", reference]), digest);
});

persistent("says that it did not run when there is nothing to stop", async () => {
  await stopRegistry();
  assert.is(await stopRegistry(), false);
});

persistent("refuses a port that something else answers on", async () => {
  await stopRegistry();
  const [, port] = registryAddress().split(":");
  const other = createServer((_, response) => response.end()).listen(Number(port), "127.0.0.1");
  await once(other, "listening");
  try {
    await ensureRegistry();
    assert.unreachable("it started");
  } catch (error) {
    assert.match(String(error), /Something else answers.*SLIPWAY_REGISTRY_PORT/s);
  } finally {
    other.close();
  }
});

persistent("refuses a port that is none", () => {
  const port = process.env.SLIPWAY_REGISTRY_PORT;
  process.env.SLIPWAY_REGISTRY_PORT = "http";
  assert.throws(() => registryAddress(), /"http", which is not a port/);
  process.env.SLIPWAY_REGISTRY_PORT = port;
});

persistent.run();

const temporary = suite("a registry of a test's own");

temporary("asks for credentials and takes the right ones only", async () => {
  const registry = await startRegistry({ auth: { user: "ann", password: "p:w d$" } });
  const status = async (login?: string): Promise<number> => {
    const headers: Record<string, string> =
      login === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(login).toString("base64")}` };
    return (await fetch(`http://${registry.address}/v2/`, { headers })).status;
  };
  try {
    assert.is(await status(), 401);
    assert.is(await status("ann:p:w d"), 401);
    assert.is(await status("bob:p:w d$"), 401);
    assert.is(await status("ann:p:w d$"), 200);
  } finally {
    await registry.stop();
  }
});

temporary("is gone with whoever started it, even when that is killed", async () => {
  const module = new URL("../../ci/sandbox/registry.ts", import.meta.url).href;
  const script = `import(${JSON.stringify(module)}).then(async (m) => {
    console.log((await m.startRegistry()).address); setInterval(() => {}, 1000); });`;
  const owner = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(owner.stdout, "data")) as [Buffer];
  const address = said.toString().trim();
  assert.is((await fetch(`http://${address}/v2/`)).status, 200);
  owner.kill("SIGKILL");
  await once(owner, "close");
  const gone = async (): Promise<boolean> =>
    await fetch(`http://${address}/v2/`).then(
      () => false,
      () => true,
    );
  for (let tries = 0; tries < 100 && !(await gone()); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(await gone());
});

temporary.run();

/** A tar archive with nothing in it. */
async function emptyTar(): Promise<string> {
  const file = `${process.env.SLIPWAY_CACHE ?? ""}/empty.tar`;
  await writeFile(file, Buffer.alloc(1024));
  return file;
}
