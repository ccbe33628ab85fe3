import { stringify } from "yaml";

import { BUILDER, PREDICATE_TYPES, type PredicateName } from "../../src/core/attestations/names.js";

/** What the policies ask for: the statements that `verify` asks for when nothing is configured. */
const REQUIRED: readonly PredicateName[] = ["provenance", "sbom", "vulnerabilities", "tests"];
const IMAGES = "registry.example/team/*";
const KEY = "-----BEGIN PUBLIC KEY-----\nthe text of cosign.pub\n-----END PUBLIC KEY-----\n";

const HEAD = `# Generated from the names of Slipway's predicates: make docs. Put your registry and the text of your
# cosign.pub in. The age of the scan and unknown parameters are for \`slipway verify\` to judge.
`;

/** A field of a predicate and what it has to be. */
interface Condition {
  readonly path: readonly string[];
  readonly value: string;
}

const CONDITIONS: Partial<Record<PredicateName, Condition>> = {
  provenance: { path: ["runDetails", "builder", "id"], value: BUILDER },
  sbom: { path: ["bomFormat"], value: "CycloneDX" },
  vulnerabilities: { path: ["scanner", "result", "state"], value: "PASSED" },
  tests: { path: ["result"], value: "PASSED" },
};

/** Documents that hold nothing but the policies, by path from the root of the repository. */
export const POLICIES: Readonly<Record<string, () => string>> = {
  "docs/policies/kyverno.yaml": kyverno,
  "docs/policies/policy-controller.yaml": policyController,
};

function kyverno(): string {
  const keys = { publicKeys: KEY, rekor: { ignoreTlog: true }, ctlog: { ignoreSCT: true } };
  const attestors = [{ entries: [{ keys }] }];
  const attestations = REQUIRED.map((name) => ({
    type: PREDICATE_TYPES[name],
    attestors,
    conditions: conditions(CONDITIONS[name]),
  }));
  return document({
    apiVersion: "kyverno.io/v1",
    kind: "ClusterPolicy",
    metadata: { name: "slipway" },
    spec: {
      validationFailureAction: "Enforce",
      webhookTimeoutSeconds: 30,
      rules: [
        {
          name: "released-by-slipway",
          match: { any: [{ resources: { kinds: ["Pod"] } }] },
          verifyImages: [
            {
              type: "SigstoreBundle",
              imageReferences: [IMAGES],
              mutateDigest: true,
              required: true,
              attestors,
              attestations,
            },
          ],
        },
      ],
    },
  });
}

function conditions(of: Condition | undefined): unknown[] {
  if (!of) return [];
  return [{ all: [{ key: `{{ ${of.path.join(".")} }}`, operator: "Equals", value: of.value }] }];
}

function policyController(): string {
  return document({
    apiVersion: "policy.sigstore.dev/v1beta1",
    kind: "ClusterImagePolicy",
    metadata: { name: "slipway" },
    spec: {
      images: [{ glob: IMAGES.replace(/\*$/, "**") }],
      authorities: [
        {
          name: "release-key",
          key: { data: KEY },
          signatureFormat: "bundle",
          attestations: REQUIRED.map((name) => ({
            name,
            predicateType: PREDICATE_TYPES[name],
            policy: { type: "cue", data: cue(CONDITIONS[name]) },
          })),
        },
      ],
    },
  });
}

function cue(of: Condition | undefined): string {
  if (!of) return "predicate: _\n";
  const path = ["predicate", ...of.path].join(": ");
  return `${path}: ${JSON.stringify(of.value)}\n`;
}

function document(value: unknown): string {
  return `${HEAD}${stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
}
