// The policies for clusters, held to the definitions of those who judge by them, and what they ask
// to real statements: the one's language is also cosign's, the other's paths are looked up.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";

import { registryAddress, startRegistry } from "../../ci/sandbox/registry.js";
import { run } from "../../ci/sandbox/run.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import {
  testsPredicate,
  vulnerabilitiesPredicate,
} from "../../src/core/attestations/predicates.js";
import { BUILDER, PREDICATE_TYPES } from "../../src/core/attestations/names.js";
import { configSchema } from "../../src/core/config/schema.js";
import { provenance } from "../../src/core/provenance.js";
import { makeReport } from "../../src/core/report/report.js";
import { scanVerdict } from "../../src/core/scan/verdict.js";
import { result, run as toolRun } from "../core/runs.js";
import { cosign, makeKeys } from "../e2e/support/evidence.js";
import { scratch } from "../e2e/support/project.js";
import { goModuleFile } from "../go-module.js";
import { crdValidator } from "./crds.js";
import { POLICIES } from "./policies.js";

const KYVERNO = crdValidator(
  await goModuleFile(
    {
      module: "github.com/kyverno/kyverno@v1.19.1",
      sum: "h1:/MkgFii3/VlQfKR1JpC9tVwNNVNQTt2S4U6qCsafsTU=",
    },
    "config/crds/kyverno/kyverno.io_clusterpolicies.yaml",
  ),
  "v1",
);
const CONTROLLER = crdValidator(
  await goModuleFile(
    {
      module: "github.com/sigstore/policy-controller@v0.13.1",
      sum: "h1:Woy+6bQ7pT/0m3/PSO2RtDxSHKBZ/8iHpCZFcZJThM8=",
    },
    "config/300-clusterimagepolicy.yaml",
  ),
  "v1beta1",
);
const HEX = "0a".repeat(32);
const now = new Date();

const test = suite("policies for clusters");
const folder = await scratch();
const registry = await startRegistry();
test.after(async () => {
  await registry.stop();
  await folder.forget();
});

/** Those of the two controllers; the Role that a deployment needs is judged in core/delivery. */
const controllers = Object.entries(POLICIES).filter(([file]) => !file.includes("role"));

for (const [file, make] of controllers) {
  const validate = file.includes("kyverno") ? KYVERNO : CONTROLLER;

  test(`writes_${file}_as_the_definition_wants_it`, () => {
    assert.ok(validate(parse(make())), JSON.stringify(validate.errors, undefined, 1));
  });

  test(`would_be_told_of_a_mistake_in_${file}`, () => {
    const unknown = make().replace(/(predicateType|mutateDigest):/, "unheardOf:");
    assert.not.ok(validate(parse(unknown)), "a field that nobody knows");
    const wrong = make().replace(/(url|validationFailureAction): .*\n/, "$1: [7]\n");
    assert.not.ok(validate(parse(wrong)), "a wrong type");
  });
}

/** Statements as the module makes them, of an image from where the policies want it. */
const scanned = scanVerdict(
  toolRun({
    startedAt: now.toISOString(),
    report: JSON.stringify({
      SchemaVersion: 2,
      Trivy: { Version: "0.73.0" },
      Results: [{ Target: "image", Packages: [{}] }],
    }),
  }),
  { config: configSchema.parse({}).scan, today: "2026-11-25", database: undefined },
);
const project = { name: "greeter", version: "1.0.0", kind: "poetry", python: "3.13" };
const PREDICATES: Readonly<Record<string, object>> = {
  [PREDICATE_TYPES.provenance]: provenance({
    source: { repository: "https://github.com/OWNER/REPOSITORY", revision: "ab".repeat(20) },
    folder: ".",
    repository: "registry.example/team/greeter",
    platforms: [],
    configuration: {},
    images: { "base image": `registry.example/python:3.13-slim@sha256:${HEX}` },
    files: { "poetry.lock": HEX },
    invocationId: "1",
    startedOn: now,
    finishedOn: now,
  }),
  [PREDICATE_TYPES.sbom]: {
    bomFormat: "CycloneDX",
    specVersion: "1.7",
    components: [{ type: "library", name: "h11" }],
  },
  [PREDICATE_TYPES.vulnerabilities]: vulnerabilitiesPredicate(scanned, BUILDER) as object,
  [PREDICATE_TYPES.tests]: testsPredicate(makeReport(project, now, [result()]), {}),
};

interface Kyverno {
  readonly spec: {
    readonly rules: readonly {
      readonly verifyImages: readonly {
        readonly attestations: readonly {
          readonly type: string;
          readonly conditions: readonly {
            readonly all: readonly { readonly key: string; readonly value: string }[];
          }[];
        }[];
      }[];
    }[];
  };
}

test("asks_kyverno_for_what_the_statements_say", () => {
  for (const name of ["key", "identity"]) {
    const policy = parse(POLICIES[`docs/policies/kyverno-${name}.yaml`]?.() ?? "") as Kyverno;
    const attestations = policy.spec.rules[0]?.verifyImages[0]?.attestations ?? [];
    assert.equal(
      attestations.map(({ type }) => type),
      Object.keys(PREDICATES),
    );
    const asked = attestations.flatMap(({ type, conditions }) =>
      conditions.flatMap(({ all }) => all.map((one) => ({ type, ...one }))),
    );
    assert.is(asked.length, name === "key" ? 4 : 5);
    for (const { type, key, value } of asked) {
      const path = /^\{\{ ([\w.]+) \}\}$/.exec(key)?.[1] ?? "";
      const found = path
        .split(".")
        .reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], PREDICATES[type]);
      assert.is(found, value, key);
    }
  }
});

interface Controller {
  readonly spec: {
    readonly authorities: readonly {
      readonly attestations: readonly {
        readonly predicateType: string;
        readonly policy: { readonly data: string };
      }[];
    }[];
  };
}

/** The same statement without the value that a line of CUE asks for, or with another. */
function changed(predicate: object, line: string, to: string | undefined): object {
  const copy = structuredClone(predicate) as Record<string, unknown>;
  const path = [...line.matchAll(/(\w+)!:/g)].slice(1).map(([, name = ""]) => name);
  const last = path.pop() ?? "";
  const at = path.reduce((each, step) => each[step] as Record<string, unknown>, copy);
  assert.ok(last in at, `${line} asks for nothing that is there`);
  if (to === undefined) Reflect.deleteProperty(at, last);
  else at[last] = to;
  return copy;
}

test("has_the_policy_controller_accept_real_statements_and_none_that_lacks_or_changes_a_value", async () => {
  const keys = await makeKeys(join(folder.path, "keys"));
  const [config, root] = [join(folder.path, "config.json"), join(folder.path, "root.json")];
  await cosign(["signing-config", "create", "--out", config]);
  await cosign(["trusted-root", "create", "--out", root]);
  const crane = await ensureTool("crane");
  let images = 0;
  const judge = async (type: string, predicate: object, policy: string): Promise<boolean> => {
    const tag = `${registry.address}/team/image:t${++images}`;
    const base = `${registryAddress()}/library/busybox:stable`;
    const label = ["--label", `number=${images}`];
    const made = ["mutate", "--platform=linux/amd64", base, ...label, "--tag", tag];
    const reference = (await run(crane, made)).trim();
    const [file, rule] = [join(folder.path, "predicate.json"), join(folder.path, "policy.cue")];
    await writeFile(file, JSON.stringify(predicate));
    await writeFile(rule, policy);
    const common = [`--type=${type}`, "--allow-http-registry"];
    const attested = await cosign([
      ...["attest", ...common, `--predicate=${file}`, `--key=${join(keys.folder, "cosign.key")}`],
      ...["--yes", `--signing-config=${config}`, `--trusted-root=${root}`, reference],
    ]);
    assert.is(attested.code, 0, attested.stderr);
    const judged = await cosign([
      ...["verify-attestation", ...common, `--key=${join(keys.folder, "cosign.pub")}`],
      ...["--insecure-ignore-tlog=true", `--policy=${rule}`, reference],
    ]);
    if (judged.code !== 0) assert.match(judged.stderr, "validation errors occurred");
    return judged.code === 0;
  };
  const policy = POLICIES["docs/policies/policy-controller-identity.yaml"]?.() ?? "";
  const [authority] = (parse(policy) as Controller).spec.authorities;
  const attestations = authority?.attestations ?? [];
  assert.equal(
    attestations.map(({ predicateType }) => predicateType),
    Object.keys(PREDICATES),
  );
  for (const { predicateType: type, policy: asked } of attestations) {
    const predicate = PREDICATES[type] ?? {};
    assert.ok(await judge(type, predicate, asked.data), asked.data);
    for (const line of asked.data.trimEnd().split("\n"))
      for (const to of [undefined, "other"])
        assert.not.ok(await judge(type, changed(predicate, line, to), asked.data), line);
  }
});

test.run();
