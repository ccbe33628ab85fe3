import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Config } from "../../../src/core/config/schema.js";
import { databaseProblem, readDatabase } from "../../../src/core/scan/database.js";
import { scanSarif } from "../../../src/core/scan/findings.js";
import { scannerProblem, tagOf } from "../../../src/core/scan/scanner.js";
import { scanTable } from "../../../src/core/scan/table.js";
import { scanVerdict, type ScanResult } from "../../../src/core/scan/verdict.js";
import { officialSarif } from "../official-sarif.js";
import { run } from "../runs.js";

const official = await officialSarif();
const test = suite("scan verdict");

const TODAY = "2026-11-24";
const CONFIG: Config["scan"] = {
  severity: ["CRITICAL"],
  unfixed: true,
  ignore: [],
  secrets: true,
  licenses: [],
  database: [],
  age: 48,
};

interface Part {
  readonly Vulnerabilities?: readonly object[];
  readonly Secrets?: readonly object[];
  readonly Licenses?: readonly object[];
  readonly Packages?: readonly object[];
}

const vulnerability = (id: string, severity: string, fixed = "2.0"): object => ({
  VulnerabilityID: id,
  VendorIDs: [`GHSA-${id}`],
  PkgName: "thing",
  InstalledVersion: "1.0",
  FixedVersion: fixed,
  Severity: severity,
  Title: "does harm",
  PrimaryURL: "https://advisories.example/1",
});

/** What trivy says of an image with these packages of its distribution. */
function judgedImage(
  OS: object | undefined,
  osPackages: readonly object[],
  config: Partial<Config["scan"]> = {},
): ScanResult {
  const report = JSON.stringify({
    SchemaVersion: 2,
    Trivy: { Version: "v0.73.0" },
    ArtifactType: "container_image",
    Metadata: OS === undefined ? {} : { OS },
    Results: [
      { Target: "image", Class: "os-pkgs", Packages: osPackages },
      { Target: "Python", Class: "lang-pkgs", Packages: [{}] },
    ],
  });
  return scanVerdict(run({ report }), {
    config: { ...CONFIG, ...config },
    today: TODAY,
    database: undefined,
  });
}

const told = ({ findings }: ScanResult): string[] =>
  findings.map((each) => `${each.severity} ${each.status} ${each.id} ${each.subject}`);

function judged(part: Part, config: Partial<Config["scan"]> = {}, version = "v0.73.0"): ScanResult {
  const report = JSON.stringify({
    SchemaVersion: 2,
    Trivy: { Version: version },
    Results: [{ Target: "image", Packages: [{}], ...part }],
  });
  return scanVerdict(run({ report }), {
    config: { ...CONFIG, ...config },
    today: TODAY,
    database: undefined,
  });
}

test("blocks_at_the_configured_severities_and_reports_the_others_gravest_first", () => {
  const result = judged({
    Vulnerabilities: ["LOW", "CRITICAL", "HIGH"].map((each) => vulnerability(`CVE-${each}`, each)),
  });
  assert.is(result.state, "FAILED");
  assert.equal(
    result.findings.map(({ id, status }) => `${id} ${status}`),
    ["CVE-CRITICAL blocks", "CVE-HIGH reported", "CVE-LOW reported"],
  );
  assert.equal(result.counts, { UNKNOWN: 0, LOW: 1, MEDIUM: 0, HIGH: 1, CRITICAL: 1 });
});

test("counts_a_severity_that_nobody_knows_as_unknown", () => {
  const result = judged({ Vulnerabilities: [vulnerability("CVE-1", "AWFUL")] });
  assert.is(result.counts.UNKNOWN, 1);
});

test("ignores_by_either_name_of_a_vulnerability_until_the_last_day_of_the_entry", () => {
  const part = { Vulnerabilities: [vulnerability("CVE-1", "CRITICAL")] };
  for (const [id, expires, state] of [
    ["cve-1", TODAY, "PASSED"],
    ["GHSA-CVE-1", TODAY, "PASSED"],
    ["CVE-1", "2026-11-23", "FAILED"],
    ["CVE-2", TODAY, "FAILED"],
  ] as const) {
    const result = judged(part, { ignore: [{ id, expires, reason: "test" }] });
    assert.is(result.state, state, `${id} ${expires}`);
    assert.is(result.notices.length, expires === TODAY ? 0 : 1);
  }
});

test("allows_listed_licenses_only_where_any_is_listed", () => {
  const part = {
    Licenses: ["MIT", "AGPL-3.0-only"].map((Name) => ({
      Name,
      PkgName: "thing",
      Severity: "HIGH",
    })),
  };
  assert.is(judged(part).state, "PASSED");
  const result = judged(part, { licenses: ["mit", "Apache-2.0"] });
  assert.equal(
    result.findings.map(({ id, status }) => `${id} ${status}`),
    ["AGPL-3.0-only blocks"],
  );
});

test("lets_no_ignore_entry_allow_a_license", () => {
  const part = { Licenses: [{ Name: "GPL-3.0-only", PkgName: "thing", Severity: "HIGH" }] };
  const ignore = [{ id: "GPL-3.0-only", reason: "no", expires: "2099-01-01" }];
  assert.is(judged(part, { licenses: ["MIT"], ignore }).state, "FAILED");
});

test("fails_an_image_whose_distribution_is_past_its_end_of_life_until_somebody_accepts_it", () => {
  const old = { Family: "debian", Name: "10.13", EOSL: true };
  const result = judgedImage(old, [{}]);
  assert.equal([result.state, ...told(result)], ["FAILED", "CRITICAL blocks END-OF-LIFE debian"]);
  assert.match(
    scanTable(result),
    /FAILED: 1 finding that stops the image: END-OF-LIFE in debian 10\.13/,
  );
  const sarif = scanSarif(result, "poetry.lock")?.text ?? "";
  assert.equal(official(sarif), []);
  assert.match(sarif, "CRITICAL in debian 10.13: this version is no longer supported");
  const ignore = [{ id: "end-of-life", reason: "extended support", expires: TODAY }];
  const accepted = judgedImage(old, [{}], { ignore, unfixed: false });
  assert.equal([accepted.state, accepted.findings[0]?.status], ["PASSED", "ignored"]);
  assert.is(judgedImage(old, [{}], { unfixed: false }).state, "FAILED");
  assert.equal(told(judgedImage({ ...old, EOSL: false }, [{}])), []);
});

test("says_of_an_image_that_no_packages_of_a_distribution_were_looked_at", () => {
  for (const [system, subject] of [
    [undefined, "the operating system"],
    [{ Family: "none" }, "the operating system"],
    [{ Family: "debian", Name: "12.9" }, "debian"],
  ] as const) {
    const result = judgedImage(system, []);
    assert.equal(
      [result.state, ...told(result)],
      ["PASSED", `UNKNOWN reported NO-OS-PACKAGES ${subject}`],
    );
    assert.match(scanTable(result), /NO-OS-PACKAGES .*packages.* were not looked at/);
    assert.match(scanSarif(result, "poetry.lock")?.text ?? "", /"level": ?"warning"/);
    assert.is(judgedImage(system, [], { severity: ["UNKNOWN"] }).state, "FAILED");
  }
});

test("misses_no_operating_system_in_a_folder", () => {
  assert.equal(judged({ Packages: [{}] }).findings, []);
});

test("stops_at_a_secret_whatever_its_severity", () => {
  const Secrets = [{ RuleID: "aws", Severity: "LOW", Title: "AWS", StartLine: 3, Match: "hidden" }];
  const result = judged({ Secrets });
  assert.is(result.state, "FAILED");
  assert.not.match(JSON.stringify(result), "hidden");
});

test("knows_nothing_when_trivy_failed_said_nothing_or_saw_no_package", () => {
  const options = { config: CONFIG, today: TODAY, database: undefined };
  for (const [given, expected] of [
    [run({ exitCode: 1, stderr: "boom", report: '{"SchemaVersion":2}' }), /exited with 1\nboom/],
    [run(), /left no result/],
    [run({ report: "{" }), /left no result/],
    [run({ report: '{"SchemaVersion":3}' }), /left no result/],
    [run({ report: '{"SchemaVersion":2}' }), /no package at all/],
  ] as const) {
    const result = scanVerdict(given, options);
    assert.is(result.state, "ERRORED");
    assert.match(result.reason ?? "", expected);
  }
});

test("believes_no_malicious_release_whatever_its_image_is_called", () => {
  assert.is(judged({}, {}, "0.69.5").state, "ERRORED");
  for (const version of ["0.69.4", "v0.69.5", "0.69.6"])
    assert.match(scannerProblem(version) ?? "", /CVE-2026-33634/);
  for (const version of ["0.69.3", "0.69.7", "0.69.40", "0.73.0", "latest", ""])
    assert.is(scannerProblem(version), undefined, version);
});

test("reads_the_tag_of_a_reference", () => {
  assert.is(tagOf("mirror.example:5000/aquasec/trivy:0.69.4@sha256:00"), "0.69.4");
  assert.is(tagOf("mirror.example:5000/aquasec/trivy"), "");
});

test("believes_a_database_up_to_its_age_and_none_from_the_future", () => {
  const now = new Date("2026-11-24T12:00:00Z");
  const of = (at: string) => readDatabase(JSON.stringify({ Version: 2, UpdatedAt: at }));
  assert.is(databaseProblem(of("2026-11-22T12:00:00Z"), 48, now), undefined);
  assert.match(databaseProblem(of("2026-11-22T11:00:00Z"), 48, now) ?? "", /49 hours old/);
  assert.match(databaseProblem(of("2026-11-25T12:00:00Z"), 48, now) ?? "", /future/);
  for (const text of ["", "{}", '{"Version":2,"UpdatedAt":"yesterday"}'])
    assert.match(databaseProblem(readDatabase(text), 48, now) ?? "", /missing or broken/);
});

test("keeps_the_gravest_in_SARIF_when_there_are_more_than_GitHub_takes", () => {
  const result = judged({
    Vulnerabilities: [
      ...Array.from({ length: 25_000 }, (_, index) => vulnerability(`CVE-${index}`, "LOW")),
      vulnerability("CVE-GRAVE", "CRITICAL"),
    ],
  });
  const sarif = scanSarif(result, "poetry.lock");
  const { runs } = JSON.parse(sarif?.text ?? "{}") as {
    runs: { results: { ruleId: string }[] }[];
  };
  assert.is(runs[0]?.results.length, 25_000);
  assert.is(runs[0]?.results[0]?.ruleId, "CVE-GRAVE");
  assert.match(sarif?.notice ?? "", /25000 gravest of 25001/);
});

test("writes_SARIF_that_the_official_schema_accepts", () => {
  const parts = {
    Vulnerabilities: [vulnerability("CVE-1", "CRITICAL"), vulnerability("CVE-2", "LOW", "")],
    Secrets: [{ RuleID: "key", Severity: "HIGH", Title: "A key", StartLine: 3 }],
  };
  assert.equal(official(scanSarif(judged(parts), "poetry.lock")?.text ?? ""), []);
});

test("leaves_ignored_findings_out_of_SARIF_and_gives_none_for_an_unknown_state", () => {
  const ignore = [{ id: "CVE-1", reason: "test", expires: "2099-01-01" }];
  const part = { Vulnerabilities: [vulnerability("CVE-1", "CRITICAL")] };
  assert.not.match(scanSarif(judged(part, { ignore }), "poetry.lock")?.text ?? "", "CVE-1");
  assert.is(scanSarif(judged({}, {}, "0.69.5"), "poetry.lock"), undefined);
});

test("shows_a_table_that_ends_with_the_verdict", () => {
  const table = scanTable(judged({ Vulnerabilities: [vulnerability("CVE-1", "HIGH", "")] }));
  assert.match(table, /^HIGH +reported +thing +1\.0 +CVE-1 does harm$/m);
  assert.match(table, /PASSED: 1 high in 1 package\n$/);
});

test.run();
