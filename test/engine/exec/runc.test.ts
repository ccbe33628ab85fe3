import { mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Machine } from "./machine.js";

const test = suite("a machine that has runc and not crun");
const { PATH } = process.env;
let programs: string;
let machine: Machine;

/** A folder with all that is in the PATH but for one program. */
async function without(program: string): Promise<string> {
  // The doctor looks whether it can mount something at /tmp.
  const folder = await mkdtemp("/var/tmp/slipway-programs-");
  for (const from of (PATH ?? "").split(delimiter))
    for (const name of await readdir(from).catch(() => []))
      // Some are in two of them.
      if (name !== program) await symlink(join(from, name), join(folder, name)).catch(() => 0);
  return folder;
}

test.before(async () => {
  programs = await without("crun");
  process.env.PATH = programs;
  machine = await Machine.start();
});
test.after(async () => {
  await machine.stop();
  process.env.PATH = PATH;
  await rm(programs, { recursive: true });
});

test("a service is asked to end, and says goodbye", async () => {
  const { exitCode, tail } = await machine.farewell();
  assert.is(exitCode, 5);
  assert.match(tail, /^bye$/m);
});

test("what a command leaves behind ends with it", async () => {
  const began = Date.now();
  const { exitCode, stdout } = await machine.sh("sleep 1000 >/dev/null 2>&1 & echo done");
  assert.is(exitCode, 0);
  assert.is(stdout, "done\n");
  assert.ok(Date.now() - began < 100_000);
});

test("a health check runs where the service does", async () => {
  const web = "mkdir /w; echo hello > /w/index.html; sleep 0.3; exec httpd -f -p 8080 -h /w";
  const service = await machine.runner.startService(
    machine.spec(["sh", "-c", web]),
    machine.check("pidof httpd && wget -qO- http://127.0.0.1:8080/ | grep hello"),
  );
  await service.stop(true);
  assert.is((await service.exited).exitCode, 137);
});

test.run();
