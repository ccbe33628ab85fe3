import { suite } from "uvu";
import * as assert from "uvu/assert";
import { releaseSections, type Released } from "../../../src/core/report/released.js";
import { extended, makeReport, readReport } from "../../../src/core/report/report.js";

const test = suite("the report of a release");

const KEY = "-----BEGIN PUBLIC KEY-----\nAAEC\nAwQ=\n-----END PUBLIC KEY-----\n";
const REFERENCE = `registry.example/iris@sha256:${"0a".repeat(32)}`;

const RELEASED: Released = {
  reference: REFERENCE,
  verifier: { kind: "key", publicKey: KEY },
  scan: {
    state: "PASSED",
    counts: { UNKNOWN: 0, LOW: 0, MEDIUM: 0, HIGH: 1, CRITICAL: 0 },
    findings: [
      {
        ...{ kind: "vulnerability", id: "CVE-1", aliases: ["GHSA-1"], severity: "HIGH" },
        ...{ status: "reported", reason: "", subject: "h11", version: "0.14.0", fixed: "0.16.0" },
        ...{ title: "smuggling", url: "https://advisories.example/CVE-1", target: "pip" },
      },
    ],
    notices: ["one notice"],
    packages: 12,
    scanner: { name: "trivy", version: "0.73.0" },
  },
  sbom: JSON.stringify({
    specVersion: "1.7",
    components: [
      { name: "debian", version: "12" },
      {
        ...{ name: "h11", version: "0.14.0", purl: "pkg:pypi/h11@0.14.0" },
        licenses: [{ license: { id: "MIT" } }, { expression: "MIT OR Apache-2.0" }],
        hashes: [{ alg: "SHA-256", content: "ab" }],
      },
    ],
  }),
  rules: [{ rule: "signature", ok: true, found: "sha256:0a" }],
  predicates: ["provenance", "sbom"],
};

test("has_scan_packages_and_evidence_in_a_form_that_can_be_read_again", () => {
  const project = { name: "iris", version: "1", kind: "poetry", python: "3.13" };
  const plain = makeReport(project, new Date(0), []);
  const report = readReport(JSON.stringify(extended(plain, releaseSections(RELEASED))));
  assert.equal(
    report.scan?.findings.map(({ id, aliases }) => [id, aliases]),
    [["CVE-1", ["GHSA-1"]]],
  );
  assert.equal(report.sbom?.packages, [
    {
      ...{ name: "h11", version: "0.14.0", type: "pypi", purl: "pkg:pypi/h11@0.14.0" },
      licenses: ["MIT", "MIT OR Apache-2.0"],
      digest: "sha-256:ab",
    },
  ]);
  assert.is(report.evidence?.reference, REFERENCE);
  assert.equal(report.evidence?.rules, [{ rule: "signature", passed: true, detail: "sha256:0a" }]);
  assert.equal(
    report.evidence?.predicates.map(({ type }) => type),
    ["https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom"],
  );
  assert.equal(
    report.evidence?.commands.map(
      ({ title, command }) => `${title}: ${command.split(" ")[1] ?? ""}`,
    ),
    ["signature: verify", "provenance: verify-attestation", "sbom: verify-attestation"],
  );
});

test("names_the_key_by_what_it_is_and_not_by_how_it_is_written", () => {
  const one = releaseSections(RELEASED).evidence?.signer.identity;
  const other = releaseSections({
    ...RELEASED,
    verifier: { kind: "key", publicKey: KEY.replace("AAEC\nAwQ=", "AAECAwQ=") },
  }).evidence?.signer.identity;
  // SHA-256 of the bytes 0 to 4.
  assert.is(one, "sha256:08bb5e5d6eaac1049ede0893d30ed022b1a4d9b5b48db414871f51c9cb35283d");
  assert.is(other, one);
});

test("names_who_signed_by_a_kms_or_by_an_identity", () => {
  const signer = (change: Partial<Released>): unknown =>
    releaseSections({ ...RELEASED, ...change }).evidence?.signer;
  assert.equal(signer({ keyReference: "awskms:///alias/release" }), {
    kind: "kms",
    identity: "awskms:///alias/release",
  });
  const [identity, issuer] = ["ann@example.com", "https://issuer.example"];
  assert.equal(signer({ verifier: { kind: "identity", identity, issuer } }), {
    kind: "keyless",
    identity,
    issuer,
  });
});

test("refuses_a_bill_of_materials_of_another_form", () => {
  assert.throws(() => releaseSections({ ...RELEASED, sbom: '{"spdxVersion":"SPDX-2.3"}' }));
});

test.run();
