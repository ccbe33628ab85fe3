import { readFileSync } from "node:fs";

import type { CheckResult } from "../../src/core/check.js";
import { reportPage } from "../../src/core/report/page.js";
import { makeReport, type Report } from "../../src/core/report/report.js";
import { finding, result } from "../core/runs.js";

const TEMPLATE = new URL("../../src/core/report/page.html", import.meta.url);

/** What a page must show as the text that it is. */
export const HOSTILE = `</script><script>window.broken=1</script><img src=x onerror="window.broken=1"><!--slipway:data--> $& {{script}}`;

/** A report of two checks at fault, a kept one, a skipped one, and all that a release adds. */
export function fullReport(more: Partial<Report> = {}): Report {
  const checks: CheckResult[] = [
    result({
      state: "FAILED",
      reason: "2 findings in 2 files",
      startedAt: "2026-11-24T10:00:00Z",
      durationMs: 200,
      findings: [
        finding({ message: "`os` imported but unused", fix: "Remove unused import: `os`" }),
        finding({
          file: "src/z.py",
          line: 9,
          level: "warning",
          message: HOSTILE,
          helpUri: "javascript:window.broken=1",
        }),
      ],
    }),
    result({
      name: "test",
      tool: "pytest",
      state: "FAILED",
      reason: "1 of 3 tests failed",
      startedAt: "2026-11-24T10:00:01Z",
      durationMs: 9000,
      findings: [
        finding({
          ruleId: "test-failure",
          file: "tests/test_a.py",
          message: "test_a:\nassert 1 == 2",
        }),
      ],
      tests: { tests: 3, failed: 1, errors: 0, skipped: 0, seconds: 8.5 },
      slowest: [
        { name: "tests.test_a::test_slow", seconds: 7.25 },
        { name: HOSTILE, seconds: 1 },
      ],
      coverage: 87.25,
      coverageFiles: [
        { file: "src/low.py", percent: 12.5, statements: 8, missed: 7 },
        { file: "src/full.py", percent: 100, statements: 20, missed: 0 },
      ],
    }),
    result({
      name: "types",
      tool: "mypy",
      cached: true,
      startedAt: "2026-11-24T07:00:00Z",
      durationMs: 4000,
    }),
    result({ name: "safety", tool: "safety", state: "SKIPPED", reason: "no key", durationMs: 0 }),
  ];
  const project = { name: `iris ${HOSTILE}`, version: "1.0.0", kind: "poetry", python: "3.13" };
  const report = makeReport(project, new Date("2026-11-24T10:00:12Z"), checks, ["a notice"], {
    steps: [
      {
        name: "build",
        state: "PASSED",
        startedAt: "2026-11-24T10:00:10Z",
        durationMs: 1500,
        needs: ["test"],
      },
    ],
    scan: {
      state: "FAILED",
      reason: "1 finding that stops the image",
      scanner: { name: "trivy", version: "0.73.0" },
      packages: 2,
      findings: [
        {
          kind: "vulnerability",
          id: "CVE-2026-0001",
          aliases: [],
          severity: "CRITICAL",
          status: "blocks",
          reason: "",
          subject: "jinja2",
          version: "2.10",
          fixed: "2.11.3",
          title: "Sandbox escape",
          url: "https://avd.example/1",
          target: "pip",
        },
      ],
    },
    sbom: {
      format: "CycloneDX 1.6",
      packages: [
        {
          name: "jinja2",
          version: "2.10",
          type: "pypi",
          licenses: ["BSD-3-Clause"],
          digest: `sha256:${"a".repeat(64)}`,
        },
        { name: "libc6", version: "2.36", type: "deb", licenses: [] },
      ],
    },
    evidence: {
      reference: "registry.example/iris@sha256:0123",
      digest: "sha256:0123",
      signer: { kind: "key", identity: "SHA256:fingerprint" },
      builder: "urn:slipway:builder",
      slsaLevel: 1,
      predicates: [{ name: "provenance", type: "https://slsa.dev/provenance/v1" }],
      rules: [{ rule: "signature", passed: true, detail: "by the given key" }],
      commands: [
        {
          title: "Signature",
          command: "cosign verify --key cosign.pub registry.example/iris@sha256:0123",
        },
      ],
    },
  });
  return { ...report, ...more };
}

/** A report with very many findings. */
export function largeReport(count: number): Report {
  const findings = Array.from({ length: count }, (_, at) =>
    finding({
      file: `src/package_${at % 97}/module_${at}.py`,
      line: at + 1,
      message: `finding number ${at} of a rule`,
    }),
  );
  const { project, scan } = fullReport();
  const check = result({ state: "FAILED", reason: `${count} findings`, findings });
  return makeReport(project, new Date("2026-11-24T09:00:00Z"), [check], [], scan ? { scan } : {});
}

/** The page as the module writes it. */
export function page(report: Report, previous?: Report): string {
  return reportPage(readFileSync(TEMPLATE, "utf8"), report, previous);
}
