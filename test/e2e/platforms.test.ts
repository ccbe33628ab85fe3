// An image for two platforms: one index that is signed, and a bill of materials of each platform.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { makeDatabase } from "../../ci/sandbox/database.js";
import { startRegistry } from "../../ci/sandbox/registry.js";
import { environment } from "./support/by-hand.js";
import { cosign, Evidence, makeKeys } from "./support/evidence.js";
import { scratch, write } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";
import { serviceWith } from "./support/vulnerable.js";

const PLATFORMS = ["linux/amd64", "linux/arm64"];

await programImages();
const folder = await scratch();
const registry = await startRegistry();
const session = await openSession();
await session.serve();
const database = join(folder.path, "database");
await makeDatabase(database);
const keys = await makeKeys(join(folder.path, "keys"));
const source = await serviceWith("0.16.0", join(folder.path, "source"));
// No command runs in it: another machine's programs do not run here.
await write(source, {
  Dockerfile: "FROM busybox:stable\nCOPY site /usr/lib/python3/site-packages\n",
  "site/h11-0.16.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: h11\nVersion: 0.16.0\n",
});
const OFF = ["types", "test", "bandit", "audit"].map((check) => `${check}.enabled=false`);
const evidence = new Evidence(
  session,
  source,
  {
    database,
    registry: registry.address,
    set: [...OFF, "build.dockerfile=Dockerfile", `build.platforms=${PLATFORMS.join(",")}`],
  },
  keys,
);
const repository = `${registry.address}/team/both`;

const test = suite("an image for several platforms");
test.after(async () => {
  await session.close();
  await registry.stop();
  await folder.forget();
});

test("has_a_bill_of_materials_of_each_platform_which_verification_asks_for", async () => {
  const out = join(folder.path, "evidence");
  const reports = join(folder.path, "reports");
  const released = await evidence.release(
    { repository },
    `evidence { export(path: ${JSON.stringify(out)}) } reports { export(path: ${JSON.stringify(reports)}) }`,
  );
  assert.match(
    released.table,
    /^sbom +ok +linux\/amd64: \d+ components?, linux\/arm64: \d+ components?$/m,
  );
  const text = async (path: string): Promise<string> => await readFile(path, "utf8");
  const [first, second] = await Promise.all(
    [1, 2].map((index) => text(join(out, "statements", `sbom-${index}.json`))),
  );
  for (const platform of PLATFORMS)
    assert.is([first, second].filter((each) => each?.includes(`"${platform}"`)).length, 1);
  const { predicate } = JSON.parse(
    await text(join(out, "statements", "vulnerabilities-1.json")),
  ) as {
    predicate: {
      scanner: { result: { packages: number; findings: { id: string; platforms: string[] }[] } };
    };
  };
  const { packages, findings } = predicate.scanner.result;
  assert.is(packages, 2, "one of each platform");
  assert.equal(
    findings.map(({ id, platforms }) => [id, ...platforms]),
    [["NO-OS-PACKAGES", ...PLATFORMS]],
  );
  for (const name of ["sbom.cyclonedx.json", "sbom.linux-arm64.cyclonedx.json"])
    assert.match(await text(join(reports, name)), '"h11"');
  const python = await environment(
    folder.path,
    ["cyclonedx-python-lib[json-validation]==11.12.0", "in-toto-attestation==0.9.3"],
    ["statements"],
  );
  const program = fileURLToPath(new URL("support/validate.py", import.meta.url));
  const judged = await python("python", program, join(out, "statements"));
  assert.equal(judged.stdout.split("\n").slice(0, -1), ["provenance", "sbom", "sbom", "tests"]);
});

test("adds_nothing_when_it_is_run_again", async () => {
  const count = async (): Promise<number> => {
    const flags = ["--key", join(keys.folder, "cosign.pub"), "--insecure-ignore-tlog=true"];
    const reference = `${repository}:1.4.2`;
    const { stdout } = await cosign([
      "verify-attestation",
      "--type=cyclonedx",
      ...flags,
      reference,
    ]);
    return stdout.trim().split("\n").length;
  };
  assert.is(await count(), 2);
  await evidence.release({ repository });
  assert.is(await count(), 2);
});

test.run();
