// What --output json prints, by the published schemas. The commands' own tests hold their real
// output to them; here is what they refuse, and what no test without a cluster sees.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as z from "zod";

import { formOf } from "../../ci/cli/outputs/form.js";
import { OUTPUTS } from "../../ci/cli/outputs/index.js";
import type { Observation, ReleaseRecord } from "../../src/core/delivery/types.js";
import type { PinnedModel } from "../../src/core/model/types.js";
import { scanErrored } from "../../src/core/scan/verdict.js";
import { releaseOf, STARTED } from "../core/delivery/releases.js";
import { judged, ofForm } from "../forms.js";

const test = suite("the forms of --output json");

const RULES = [{ rule: "signature", ok: true, found: "sha256:…" }];
const DIGEST = `sha256:${"0a".repeat(32)}`;
const RELEASED = {
  ...{ reference: `registry.example/iris@${DIGEST}`, digest: DIGEST, verified: true },
  ...{ tags: ["registry.example/iris:1"], rules: RULES },
};

const MODEL: PinnedModel = {
  ...{ name: "iris", version: "7", runId: "4f1c", digest: DIGEST, uri: "models:/iris/7" },
  ...{ alias: "production", metrics: { accuracy: 0.97 }, how: "default", warnings: [] },
  gates: [{ metric: "accuracy", ok: true, value: 0.97, champion: 0.93, why: "0.97" }],
};

const CANARY: ReleaseRecord = releaseOf(7, {
  ...{ status: "waiting", why: "it waits", waitingAt: STARTED, generation: 3, model: MODEL },
  steps: [
    {
      ...{ weight: 10, percent: 33.3, startedAt: STARTED, finishedAt: STARTED },
      analysis: {
        ...{ outcome: "passed", why: "1,000 requests", notices: [] },
        ...{ startedAt: STARTED, finishedAt: STARTED },
        measures: [{ metric: "success", outcome: "passed", canary: 99.9, unit: "%", why: "" }],
        requests: { canary: 1000, stable: 9000, failed: 1 },
      },
    },
  ],
});

const SEEN: Observation = {
  stable: {
    ...{ release: 6, image: "i", generation: 1, replicas: 2, available: 1, complete: false },
    trouble: { why: "CrashLoopBackOff", certain: true },
  },
  ...{ weight: 10, exposed: false, named: true, routed: true, leftovers: true },
  pods: [
    {
      ...{ name: "iris-x", track: "stable", release: 6, phase: "Running", ready: false },
      ...{ restarts: 3, container: "service", says: "CrashLoopBackOff", ended: true },
    },
  ],
};

test("describe_releases_in_a_cluster_with_all_that_they_may_have", () => {
  const shown = JSON.stringify({ ...CANARY, objects: undefined });
  ofForm("delivery", shown);
  ofForm("history", `[${shown}]`);
  const status = { service: "iris", healthy: false, holder: "", live: releaseOf(6), seen: SEEN };
  ofForm("status", JSON.stringify(status));
  ofForm("status", JSON.stringify({ ...status, open: CANARY, holder: "ann (1)" }));
});

test("describe_a_scan_of_which_nothing_is_known", () => {
  ofForm("scan", JSON.stringify(scanErrored("there is no database")));
});

test("refuse_what_is_not_of_them", () => {
  assert.equal(judged("release", RELEASED), []);
  for (const [name, value] of [
    ["release", { ...RELEASED, verified: false }],
    ["release", { ...RELEASED, digest: "latest" }],
    ["release", { ...RELEASED, rules: undefined }],
    ["verify", { reference: "x", verified: "yes", rules: RULES }],
    ["verify", { reference: "x", verified: true, rules: [{ rule: "signature", ok: true }] }],
    ["scan", { ...scanErrored("x"), state: "SKIPPED" }],
    ["scan", { ...scanErrored("x"), counts: { CRITICAL: 0 } }],
    ["validate", { valid: true, findings: [{ check: "rights", ok: true }] }],
    ["delivery", { ...CANARY, status: "well" }],
    ["history", CANARY],
  ] as const)
    assert.is.not(judged(name, JSON.parse(JSON.stringify(value))).length, 0, name);
});

test("bear_with_keys_of_later_versions_which_the_tests_do_not", () => {
  const later = { ...RELEASED, later: 1 };
  assert.equal(judged("release", later), []);
  // Whatever `throws` catches that is an assertion, it throws again.
  let said = "";
  try {
    ofForm("release", JSON.stringify(later));
  } catch (error) {
    said = String(error);
  }
  assert.match(said, "does not describe");
});

test("do_not_compile_when_the_type_has_another_key", () => {
  interface Named {
    readonly name: string;
    readonly more?: string;
  }
  formOf<Named>()(z.object({ name: z.string(), more: z.exactOptional(z.string()) }));
  // @ts-expect-error: `more` is missing.
  formOf<Named>()(z.object({ name: z.string() }));
  // @ts-expect-error: `name` has another type.
  formOf<Named>()(z.object({ name: z.number(), more: z.exactOptional(z.string()) }));
});

test("say_which_commands_print_them", () => {
  const commands = Object.values(OUTPUTS).flatMap((output) => [...output.commands]);
  assert.is(new Set(commands).size, commands.length);
  assert.ok(commands.includes("deploy-canary --output json"));
  for (const command of commands) assert.match(command, /(--output|--as) json$/);
});

test.run();
