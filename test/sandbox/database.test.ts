import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { test } from "uvu";
import * as assert from "uvu/assert";

import { makeDatabase, pushDatabase } from "../../ci/sandbox/database.js";
import { startRegistry } from "../../ci/sandbox/registry.js";
import { ensureTool } from "../../ci/sandbox/tools.js";

const execute = promisify(execFile);
const folder = await mkdtemp(join(tmpdir(), "slipway-database-"));
const trivy = await ensureTool("trivy");

test.after(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What trivy finds in a folder with these requirements, by a database in `cache`. */
async function found(requirements: string, cache: string): Promise<string[]> {
  const source = await mkdtemp(join(folder, "source-"));
  await writeFile(join(source, "requirements.txt"), requirements);
  const { stdout } = await execute(trivy, [
    ...["fs", "--quiet", "--cache-dir", cache, "--skip-db-update", "--offline-scan"],
    ...["--skip-version-check", "--disable-telemetry", "--scanners=vuln", "--format=json", source],
  ]);
  const { Results = [] } = JSON.parse(stdout) as {
    Results?: { Vulnerabilities?: { VulnerabilityID: string; Severity: string }[] }[];
  };
  return Results.flatMap(({ Vulnerabilities = [] }) =>
    Vulnerabilities.map((each) => `${each.VulnerabilityID} ${each.Severity}`),
  ).sort();
}

test("trivy_finds_what_the_advisories_say_and_nothing_in_fixed_versions", async () => {
  const cache = join(folder, "cache");
  await makeDatabase(join(cache, "db"));
  assert.equal(await found("h11==0.14.0\nidna==3.6\n", cache), [
    "CVE-2024-3651 MEDIUM",
    "CVE-2025-43859 CRITICAL",
    "CVE-2026-45409 MEDIUM",
  ]);
  assert.equal(await found("h11==0.16.0\nidna==3.15\n", cache), []);
});

test("trivy_downloads_the_same_database_from_a_registry", async () => {
  const registry = await startRegistry();
  try {
    const updatedAt = new Date(Date.now() - 60_000);
    const reference = await pushDatabase(registry.address, { updatedAt });
    const cache = join(folder, "downloaded");
    await execute(trivy, [
      ...["image", "--quiet", "--cache-dir", cache, "--download-db-only"],
      ...["--db-repository", reference, "--insecure"],
    ]);
    const metadata = JSON.parse(await readFile(join(cache, "db", "metadata.json"), "utf8")) as {
      UpdatedAt: string;
    };
    assert.is(metadata.UpdatedAt, updatedAt.toISOString());
    assert.equal(await found("h11==0.14.0\n", cache), ["CVE-2025-43859 CRITICAL"]);
  } finally {
    await registry.stop();
  }
});

test.run();
