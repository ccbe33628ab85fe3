// What the module answers, on the engine that ENGINE names: embedded, or dagger. One table for both,
// so that an engine on which the module answers something else is found out.
import { spawn } from "node:child_process";
import { once } from "node:events";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startRegistry } from "../../ci/sandbox/registry.js";
import type { CheckName } from "../../src/core/check.js";
import { readReport, type Report } from "../../src/core/report/report.js";
import { openEngine, ROOT } from "./engine.js";

const IRIS = "examples/iris";
const SET = ["publish.scan=false", "python.version=3.13"];

const engine = await openEngine();
const test = suite(`answers of the ${engine.name} engine`);
test.after(engine.close);

/** `slipway(source: …)` for a folder of the repository. */
async function slipway(project: string): Promise<string> {
  const source = JSON.stringify(await engine.directory(project));
  return `slipway(source: ${source}, set: ${JSON.stringify(SET)}, advisories: ${JSON.stringify(engine.advisories)})`;
}

async function report(project: string, only: readonly string[]): Promise<Report & { ok: boolean }> {
  const answer = await engine.query<{ slipway: { checks: { report: string; passed: boolean } } }>(
    `{ ${await slipway(project)} { checks(only: ${JSON.stringify(only)}) { report passed } } }`,
  );
  const { report: text, passed } = answer.slipway.checks;
  return { ...readReport(text), ok: passed };
}

/** The project, the checks that run, how each ends, and what is found: rule and place. */
const VERDICTS: readonly {
  project: string;
  states: Readonly<Partial<Record<CheckName, string>>>;
  findings: readonly string[];
}[] = [
  {
    project: "test/fixtures/lint-error",
    states: { lint: "FAILED", format: "PASSED", pipAudit: "SKIPPED" },
    findings: ["F401 src/words.py:3"],
  },
  {
    project: "test/fixtures/format-error",
    states: { lint: "PASSED", format: "FAILED" },
    findings: ["unformatted src/words.py:4"],
  },
  {
    project: "test/fixtures/type-error",
    states: { lint: "PASSED", types: "FAILED" },
    findings: ["return-value src/words.py:6"],
  },
  {
    project: "test/fixtures/failing-test",
    states: { types: "PASSED", test: "FAILED" },
    findings: ["test-failure tests/test_prices.py:11"],
  },
  { project: "test/fixtures/no-tests", states: { test: "ERRORED" }, findings: [] },
  {
    project: "test/fixtures/insecure-call",
    states: { lint: "PASSED", bandit: "FAILED" },
    findings: ["B324 src/tokens.py:8"],
  },
  {
    project: "test/fixtures/vulnerable-dependency",
    states: { lint: "PASSED", pipAudit: "FAILED" },
    findings: ["PYSEC-2026-215 requirements.txt:1", "PYSEC-2024-60 requirements.txt:1"],
  },
  {
    project: IRIS,
    states: {
      lint: "PASSED",
      format: "PASSED",
      types: "PASSED",
      test: "PASSED",
      bandit: "PASSED",
      pipAudit: "PASSED",
      safety: "SKIPPED",
    },
    findings: [],
  },
];

// All at once: that the projects share an engine's caches must not mix up their answers.
const judged = VERDICTS.map((row) => ({
  ...row,
  answer: report(row.project, Object.keys(row.states)),
}));
for (const { answer } of judged) answer.catch(() => undefined);

for (const { project, states, findings, answer } of judged) {
  test(`judges_${project.replace(/^.*\//, "").replaceAll("-", "_")}`, async () => {
    const found = await answer;
    assert.equal(
      Object.fromEntries(found.checks.map(({ name, state }) => [name, state])),
      states,
      found.checks.map(({ name, reason }) => `${name}: ${reason ?? ""}`).join("\n"),
    );
    assert.equal(
      found.checks.flatMap((check) =>
        check.findings.map(({ ruleId, file, line }) => `${ruleId} ${file ?? ""}:${line ?? ""}`),
      ),
      findings,
    );
    assert.is(
      found.ok,
      Object.values(states).every((state) => state === "PASSED" || state === "SKIPPED"),
    );
  });
}

test("builds_the_image_that_is_configured_and_runs_it", async () => {
  const { slipway: answer } = await engine.query<{
    slipway: { build: Record<string, unknown> & { withExec: { stdout: string } } };
  }>(
    `{ ${await slipway(IRIS)} { build(revision: "abc") {
         user workdir entrypoint exposedPorts { port } label(name: "org.opencontainers.image.revision")
         withExec(args: ["python", "-c", "import os, iris_service; print(os.getuid())"]) { stdout }
       } } }`,
  );
  assert.equal(answer.build, {
    user: "10001:10001",
    workdir: "/app",
    entrypoint: ["python", "-m", "iris_service"],
    exposedPorts: [{ port: 8000 }],
    label: "abc",
    withExec: { stdout: "10001\n" },
  });
});

test("publishes_one_digest_and_refuses_other_content_under_a_release_tag", async () => {
  // An engine that does not see this machine's loopback is given a registry that it sees.
  const given = process.env.CONFORMANCE_REGISTRY;
  const own = given === undefined ? await startRegistry() : undefined;
  const repository = `${own?.address ?? given ?? ""}/answers-${String(Date.now())}`;
  const publish = async (revision: string): Promise<string> => {
    const answer = await engine.query<{ slipway: { publish: { reference: string } } }>(
      `{ ${await slipway(IRIS)} { publish(repository: "${repository}", tags: ["v1.0.0", "latest"], revision: "${revision}") { reference } } }`,
    );
    return answer.slipway.publish.reference;
  };
  try {
    const reference = await publish("abc");
    assert.match(reference, /@sha256:[0-9a-f]{64}$/);
    const head = await fetch(
      `http://${repository.replace("/", "/v2/")}/manifests/${reference.replace(/^.*@/, "")}`,
      { method: "HEAD", headers: { accept: "application/vnd.oci.image.manifest.v1+json" } },
    );
    assert.is(head.status, 200);
    assert.is(await publish("abc"), reference);
    const refused = await publish("def").then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    assert.match(refused?.message ?? "published", /holds other content/);
  } finally {
    await own?.stop();
  }
});

/** Ends of a command line, and the code that the answer of its function asks for. */
const EXITS: readonly (readonly [words: readonly string[], code: number])[] = [
  [["format"], 0],
  [["lint"], 1],
  // Refused before anything is asked of a cluster: nobody says which image, and the file is no kubeconfig.
  [["deploy", "--kube-config", `file:${ROOT}dagger.json`], 2],
];

for (const [call, code] of EXITS) {
  test(`exits_with_${String(code)}_after_${call[0] ?? ""}_of_lint_error`, async () => {
    for (const { words, env } of engine.commands) {
      const given = [
        "--source",
        `${ROOT}test/fixtures/lint-error`,
        "--set",
        SET.join(","),
        ...call,
      ];
      const [command = "", ...args] = words;
      const child = spawn(command, [...args, ...given], { env, stdio: "ignore" });
      const [ended] = (await once(child, "close")) as [number | null];
      assert.is(ended, code, command);
    }
  });
}

test.run();
