// trivy on real images, with the sandbox's database: what is found, what is believed, what is not.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { makeDatabase, pushDatabase } from "../../ci/sandbox/database.js";
import { startRegistry } from "../../ci/sandbox/registry.js";
import { officialSarif } from "../core/official-sarif.js";
import { ofForm } from "../forms.js";
import { slipway, type Given } from "./support/checks.js";
import { scratch, write } from "./support/project.js";
import { programImages } from "./support/programs.js";
import { openSession } from "./support/session.js";
import { serviceWith } from "./support/vulnerable.js";

const DAY = 86_400_000;
await programImages();
const folder = await scratch();
const registry = await startRegistry();
const session = await openSession();
await session.serve();
const database = join(folder.path, "database");
await makeDatabase(database);
const bad = await serviceWith("0.14.0", join(folder.path, "bad"));
const good = await serviceWith("0.16.0", join(folder.path, "good"));

const test = suite("scan");
test.after(async () => {
  await session.close();
  await registry.stop();
  await folder.forget();
});

interface Scanned {
  readonly passed: boolean;
  readonly state: string;
  readonly critical: number;
  readonly low: number;
  readonly findings: string[];
  readonly table: string;
  readonly json: string;
  readonly sarif: string;
}

const FIELDS = "passed state critical low findings table json sarif";

async function scan(source: string, given: Given, args = ""): Promise<Scanned> {
  const answer = await session.query<{ slipway: { scan: Scanned } }>(
    `{ ${await slipway(session, source, given)} { scan${args} { ${FIELDS} } } }`,
  );
  return answer.slipway.scan;
}

interface Told {
  readonly reason?: string;
  readonly notices: string[];
  readonly database?: { readonly updatedAt: string };
  readonly findings: { readonly id: string; readonly status: string; readonly reason: string }[];
}

const told = (scanned: Scanned): Told => ofForm("scan", scanned.json) as Told;

const statusOf = (scanned: Scanned, id: string): string | undefined =>
  told(scanned).findings.find((each) => each.id === id)?.status;

const CRITICAL = "CVE-2025-43859";
const UNFIXED = "CVE-2005-2541";

test("stops_an_image_with_a_critical_vulnerability_and_says_which_in_every_form_of_one_run", async () => {
  session.ran();
  const scanned = await scan(bad, { database });
  const runs = session.ran().filter((name) => name.includes("--format=json"));
  assert.is(runs.length, 1, runs.join("\n"));
  assert.is(scanned.state, "FAILED");
  assert.is(scanned.passed, false);
  assert.equal([scanned.critical, scanned.low], [1, 1]);
  assert.match(scanned.findings[0] ?? "", `CRITICAL blocks ${CRITICAL} h11 0.14.0 0.16.0`);
  assert.match(scanned.table, `FAILED: 1 finding that stops the image: ${CRITICAL} in h11 0.14.0`);
  assert.equal((await officialSarif())(scanned.sarif), []);
  const { runs: logs } = JSON.parse(scanned.sarif) as {
    runs: { results: { ruleId: string; level: string }[] }[];
  };
  assert.equal(
    logs[0]?.results.map(({ ruleId, level }) => `${level} ${ruleId}`),
    [`error ${CRITICAL}`, `note ${UNFIXED}`],
  );
  const refusal = await session
    .query(`{ ${await slipway(session, bad, { database })} { scan { assert } } }`)
    .then(
      () => "passed",
      (error: unknown) => (error as Error).message,
    );
  assert.match(refusal, CRITICAL);
});

test("lets_an_image_pass_whose_findings_are_below_the_gate", async () => {
  const scanned = await scan(good, { database });
  assert.equal([scanned.state, scanned.critical, scanned.low], ["PASSED", 0, 1]);
  assert.is(statusOf(scanned, UNFIXED), "reported");
});

test("leaves_out_what_has_no_fix_only_when_told_to", async () => {
  const gate = 'scan.severity=["LOW"]';
  const strict = await scan(good, { database, set: [gate] });
  assert.equal([strict.state, statusOf(strict, UNFIXED)], ["FAILED", "blocks"]);
  const mild = await scan(good, { database, set: [gate, "scan.unfixed=false"] });
  assert.equal([mild.state, statusOf(mild, UNFIXED)], ["PASSED", "ignored"]);
});

test("ignores_by_an_entry_until_its_last_day_and_says_so_afterwards", async () => {
  const entry = (expires: string): string =>
    `scan.ignore=${JSON.stringify([{ id: CRITICAL, reason: "never parses requests", expires }])}`;
  const valid = await scan(bad, { database, set: [entry("2099-01-01")] });
  assert.equal([valid.state, valid.critical], ["PASSED", 0]);
  assert.match(
    told(valid).findings.find(({ id }) => id === CRITICAL)?.reason ?? "",
    "never parses requests (until 2099-01-01)",
  );
  const expired = await scan(bad, { database, set: [entry("2026-01-01")] });
  assert.equal([expired.state, expired.critical], ["FAILED", 1]);
  assert.match(expired.table, `${CRITICAL} expired on 2026-01-01 and is no longer ignored`);
});

test("takes_account_of_a_VEX_document", async () => {
  const vex = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": "urn:slipway:test:vex",
    author: "the team",
    timestamp: "2026-11-01T00:00:00Z",
    version: 1,
    statements: [
      {
        vulnerability: { name: CRITICAL },
        products: [{ "@id": "pkg:pypi/h11@0.14.0" }],
        status: "not_affected",
        justification: "vulnerable_code_not_in_execute_path",
        impact_statement: "it answers no requests",
      },
    ],
  };
  const source = await serviceWith("0.14.0", join(folder.path, "vex"));
  await write(source, { "security/vex.json": JSON.stringify(vex) });
  const scanned = await scan(source, { database, set: ["scan.vex=security/vex.json"] });
  assert.equal([scanned.state, statusOf(scanned, CRITICAL)], ["PASSED", "ignored"], scanned.table);
});

test("finds_a_secret_in_a_folder_without_repeating_it", async () => {
  const source = await serviceWith("0.16.0", join(folder.path, "secret"));
  const secret = ["ghp", "0123456789abcdefghijABCDEFGHIJ012345"].join("_");
  await write(source, {
    "requirements.txt": "h11==0.16.0\n",
    "src/greeter/token.py": `TOKEN = "${secret}"\n`,
  });
  const id = JSON.stringify(await session.directory(source));
  const scanned = await scan(source, { database }, `(directory: ${id})`);
  assert.equal([scanned.state, statusOf(scanned, "github-pat")], ["FAILED", "blocks"]);
  assert.not.match(JSON.stringify(scanned), secret);
});

test("finds_a_secret_in_a_layer_of_an_image_though_a_later_layer_removes_it", async () => {
  const secret = ["ghp", "0123456789abcdefghijABCDEFGHIJ012345"].join("_");
  const { container } = await session.query<{
    container: { from: { withNewFile: { withoutFile: { id: string } } } };
  }>(
    `{ container { from(address: "python:3.13-slim") { withNewFile(path: "/srv/token.py", contents: ${JSON.stringify(`TOKEN = "${secret}"\n`)}) { withoutFile(path: "/srv/token.py") { id } } } } }`,
  );
  const { id } = container.from.withNewFile.withoutFile;
  const scanned = await scan(good, { database }, `(image: ${JSON.stringify(id)})`);
  assert.equal(
    [scanned.state, statusOf(scanned, "github-pat")],
    ["FAILED", "blocks"],
    scanned.table,
  );
  assert.not.match(JSON.stringify(scanned), secret);
});

/** An image with another file in it, as an argument of `scan`. */
async function imageWith(address: string, path: string, contents: string): Promise<string> {
  const file = `path: ${JSON.stringify(path)}, contents: ${JSON.stringify(contents)}`;
  const { container } = await session.query<{
    container: { from: { withNewFile: { id: string } } };
  }>(`{ container { from(address: "${address}") { withNewFile(${file}) { id } } } }`);
  return `(image: ${JSON.stringify(container.from.withNewFile.id)})`;
}

test("fails_an_image_whose_distribution_is_past_its_end_of_life_until_somebody_accepts_it", async () => {
  const old = await imageWith("python:3.13-slim", "/etc/debian_version", "10.13\n");
  const scanned = await scan(good, { database }, old);
  assert.equal(
    [scanned.state, statusOf(scanned, "END-OF-LIFE")],
    ["FAILED", "blocks"],
    scanned.table,
  );
  assert.match(scanned.table, /END-OF-LIFE in debian 10\.13/);
  assert.match(scanned.sarif, "END-OF-LIFE");
  const entry = [{ id: "END-OF-LIFE", reason: "extended support", expires: "2099-01-01" }];
  const set = [`scan.ignore=${JSON.stringify(entry)}`];
  assert.is((await scan(good, { database, set }, old)).state, "PASSED");
});

test("says_of_an_image_without_a_known_distribution_that_its_packages_were_not_looked_at", async () => {
  const bare = await imageWith(
    "busybox:stable",
    "/usr/lib/python3/site-packages/h11-0.16.0.dist-info/METADATA",
    "Metadata-Version: 2.1\nName: h11\nVersion: 0.16.0\n",
  );
  const scanned = await scan(good, { database }, bare);
  assert.is(statusOf(scanned, "NO-OS-PACKAGES"), "reported", scanned.table);
  assert.is(scanned.state, "PASSED", scanned.table);
  const gate = ['scan.severity=["UNKNOWN"]'];
  assert.is((await scan(good, { database, set: gate }, bare)).state, "FAILED");
});

test("allows_only_the_licenses_that_are_listed", async () => {
  const strict = await scan(good, { database, set: ["scan.licenses=Apache-2.0"] });
  assert.equal([strict.state, statusOf(strict, "MIT")], ["FAILED", "blocks"]);
  assert.match(strict.findings.join("\n"), /LOW blocks MIT h11/);
  const mild = await scan(good, { database, set: ["scan.licenses=Apache-2.0,MIT"] });
  assert.is(mild.state, "PASSED", mild.table);
});

test("knows_nothing_without_a_database_or_with_a_broken_or_an_old_one", async () => {
  const missing = join(folder.path, "missing");
  await write(missing, { "README.md": "nothing here\n" });
  const broken = join(folder.path, "broken");
  await makeDatabase(broken);
  await rm(join(broken, "trivy.db"));
  const rotten = join(folder.path, "rotten");
  await makeDatabase(rotten);
  await writeFile(join(rotten, "trivy.db"), "no database");
  const old = join(folder.path, "old");
  await makeDatabase(old, { updatedAt: new Date(Date.now() - 3 * DAY) });
  for (const [given, expected] of [
    [missing, /missing or broken/],
    [broken, /no trivy\.db/],
    [rotten, /trivy exited with 1/],
    [old, /72 hours old; at most 48 are allowed/],
  ] as const) {
    const scanned = await scan(good, { database: given });
    assert.equal([scanned.state, scanned.passed, scanned.sarif], ["ERRORED", false, ""]);
    assert.match(scanned.table, expected);
  }
  assert.is((await scan(good, { database: old, set: ["scan.age=96"] })).state, "PASSED");
});

test("downloads_the_database_from_the_first_source_that_answers_and_not_for_every_scan", async () => {
  const reference = await pushDatabase(registry.address);
  const given = {
    registry: registry.address,
    set: [`scan.database=${registry.address}/team/none:2,${reference}`],
  };
  session.ran();
  assert.is((await scan(bad, given)).critical, 1);
  assert.is((await scan(good, given)).state, "PASSED");
  const names = session.ran();
  const downloads = names.filter((name) => name.includes("--download-db-only"));
  assert.equal(
    downloads.map((name) => /repository=\S+\/(\S+)/.exec(name)?.[1]),
    ["none:2", "trivy-db:2"],
  );
});

test("knows_nothing_when_no_source_answers", async () => {
  const set = [`scan.database=${registry.address}/team/none:2,${registry.address}/team/nothing:2`];
  const scanned = await scan(good, { registry: registry.address, set });
  assert.is(scanned.state, "ERRORED");
  assert.match(scanned.table, /no source of the vulnerability database could be read/);
});

test("publishes_nothing_that_the_scan_stops_or_could_not_judge", async () => {
  const publish = async (source: string, given: Given, name: string): Promise<string> => {
    const object = await slipway(session, source, { registry: registry.address, ...given });
    const repository = `${registry.address}/team/${name}`;
    const published = await session
      .query(`{ ${object} { publish(repository: "${repository}") { reference } } }`)
      .then(
        () => "published",
        (error: unknown) => (error as Error).message,
      );
    const { status } = await fetch(`http://${registry.address}/v2/team/${name}/tags/list`);
    assert.is(status, published === "published" ? 200 : 404, "what was said is not what is there");
    return published;
  };
  const stopped = await publish(bad, { database }, "stopped");
  assert.match(stopped, /Nothing was published; the image was stopped by the scan/);
  assert.match(stopped, /FAILED: .*CVE-2025-43859 in h11 0\.14\.0/);
  const set = [`scan.database=${registry.address}/team/none:2`];
  assert.match(await publish(good, { set }, "unknown"), /ERRORED: no source of the vulnerability/);
  assert.is(await publish(good, { database }, "good"), "published");
  assert.is(await publish(bad, { set: ["publish.scan=false"] }, "unscanned"), "published");
});

test("refuses_the_malicious_releases_of_trivy_without_running_them", async () => {
  session.ran();
  const set = ["images.trivy=docker.io/aquasec/trivy:0.69.5"];
  const scanned = await scan(good, { database, set });
  assert.is(scanned.state, "ERRORED");
  assert.match(scanned.table, /CVE-2026-33634/);
  assert.equal(
    session.ran().filter((name) => name.includes("trivy")),
    [],
  );
});

test.run();
