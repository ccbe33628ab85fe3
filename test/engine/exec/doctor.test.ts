import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { doctor } from "../../../ci/engine/exec/doctor.js";
import { Runner } from "../../../ci/engine/exec/runner.js";
import { Folders } from "./folders.js";

const test = suite("doctor");
let folder: string;
const path = process.env.PATH;

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-doctor-"));
});
test.after.each(() => {
  process.env.PATH = path;
});
test.after(() => rm(folder, { recursive: true, force: true }));

test("this machine can run containers", async () => {
  const failed = (await doctor(folder)).filter(({ ok, required }) => required && !ok);
  assert.equal(failed, []);
});

test("a folder that does not exist yet has its parent's space", async () => {
  const checks = await doctor(join(folder, "not/yet"));
  assert.match(
    checks.find(({ name }) => name === "disk space")?.detail ?? "",
    `GiB free in ${folder}`,
  );
});

test("names all that is missing, and the runner refuses with exactly that", async () => {
  process.env.PATH = folder;
  const missing = (await doctor(folder)).filter(({ ok, required }) => required && !ok);
  const names = missing.map(({ name }) => name);
  for (const name of ["OCI runtime", "slirp4netns", "ip", "nsenter", "namespaces"]) {
    assert.ok(names.includes(name), name);
  }
  const error = await Runner.create(await Folders.create(folder), { root: folder }).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  for (const { name, detail, fix } of missing) {
    assert.match(error?.message ?? "", `${name}: ${detail} - ${fix}`);
  }
  assert.match(error?.message ?? "", "install slirp4netns");
});

test.run();
