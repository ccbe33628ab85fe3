import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mergedScan } from "../../../src/core/scan/platforms.js";
import type { Judged, Severity } from "../../../src/core/scan/types.js";
import { countsOf, type ScanResult } from "../../../src/core/scan/verdict.js";

const test = suite("the scan of several platforms");

const finding = (
  id: string,
  severity: Severity,
  status: Judged["status"] = "reported",
): Judged => ({
  ...{ kind: "vulnerability", id, aliases: [], severity, subject: "thing", version: "1.0" },
  ...{ fixed: "", title: "", url: "", target: "image", status, reason: "" },
});

const scanned = (hour: number, findings: readonly Judged[], packages: number): ScanResult => ({
  state: "PASSED",
  counts: countsOf(findings),
  findings,
  notices: ["scan.ignore: CVE-9 expired"],
  packages,
  scanner: { name: "trivy", version: "0.73.0" },
  database: { updatedAt: `2026-11-2${hour}T00:00:00Z`, version: 2 },
  startedAt: `2026-11-26T0${hour}:00:00.000Z`,
  finishedAt: `2026-11-26T0${hour}:01:00.000Z`,
});

const first = scanned(5, [finding("CVE-1", "LOW"), finding("CVE-2", "HIGH")], 100);
const second = scanned(4, [finding("CVE-3", "HIGH", "ignored"), finding("CVE-1", "LOW")], 90);

test("tells_each_finding_once_with_its_platforms_and_counts_all_of_them", () => {
  const merged = mergedScan(
    { platform: "linux/amd64", result: first },
    { platform: "linux/arm64", result: second },
  );
  assert.equal(
    merged.findings.map(({ id, platforms }) => `${id} ${platforms?.join(" ") ?? ""}`),
    ["CVE-2 linux/amd64", "CVE-1 linux/amd64 linux/arm64", "CVE-3 linux/arm64"],
  );
  assert.equal(merged.counts, { UNKNOWN: 0, LOW: 1, MEDIUM: 0, HIGH: 1, CRITICAL: 0 });
  assert.is(merged.packages, 190);
  assert.equal(merged.notices, ["scan.ignore: CVE-9 expired"]);
});

test("is_as_old_as_the_oldest_scan_and_database_in_it", () => {
  const merged = mergedScan(
    { platform: "linux/amd64", result: first },
    { platform: "linux/arm64", result: second },
  );
  assert.is(merged.startedAt, second.startedAt);
  assert.is(merged.finishedAt, second.finishedAt);
  assert.equal(merged.database, second.database);
});

test("leaves_the_scan_of_one_image_as_it_is", () => {
  assert.equal(mergedScan({ platform: undefined, result: first }), first);
});

test.run();
