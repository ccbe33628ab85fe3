import { stringify } from "yaml";

import { rightsNeeded, rulesOf } from "../../src/core/delivery/validation/rights.js";
import { BUILDER, PREDICATE_TYPES, type PredicateName } from "../../src/core/attestations/names.js";

/** What the policies ask for: the statements that `verify` asks for when nothing is configured. */
const REQUIRED: readonly PredicateName[] = ["provenance", "sbom", "vulnerabilities", "tests"];
const IMAGES = "registry.example/team/*";
const KEY = "-----BEGIN PUBLIC KEY-----\nthe text of cosign.pub\n-----END PUBLIC KEY-----\n";
const IDENTITY = "https://github.com/OWNER/slipway/.github/workflows/release.yml@COMMIT";
const ISSUER = "https://token.actions.githubusercontent.com";
const SOURCE = "https://github.com/OWNER/REPOSITORY";

const HEAD = "# Generated from the names of Slipway's predicates: make docs.";
const TAIL = "The age of the scan and unknown parameters are for `slipway verify` to judge.";
const BY_KEY = `${HEAD} Put your registry and the text of your cosign.pub in.\n# ${TAIL}\n`;
const BY_IDENTITY = `${HEAD} Put your registry, the identity that signs (verify.identity)
# and the repository of the source in: a reusable workflow signs as itself, whoever calls it, and with a module of their
# own a stranger can have it sign any source. Only verify.repository of \`slipway verify\` asks the certificate whose job
# it was; let nobody else write to the registry, or sign by a workflow of your own.
# ${TAIL}
`;

/** A field of a predicate and what it has to be. */
export interface Condition {
  readonly path: readonly string[];
  readonly value: string;
}

const CONDITIONS: Readonly<Partial<Record<PredicateName, Condition>>> = {
  provenance: { path: ["runDetails", "builder", "id"], value: BUILDER },
  sbom: { path: ["bomFormat"], value: "CycloneDX" },
  vulnerabilities: { path: ["scanner", "result", "state"], value: "PASSED" },
  tests: { path: ["result"], value: "PASSED" },
};

/** Whoever may call the workflow gets its signature: the source has to be the right one too. */
const FROM_SOURCE: Condition = {
  path: ["buildDefinition", "externalParameters", "source", "repository"],
  value: SOURCE,
};

/** Documents that hold nothing but the policies, by path from the root of the repository. */
export const POLICIES: Readonly<Record<string, () => string>> = {
  "docs/policies/role.yaml": role,
  "docs/policies/kyverno-key.yaml": () =>
    `${BY_KEY}${kyverno({
      keys: { publicKeys: KEY, rekor: { ignoreTlog: true }, ctlog: { ignoreSCT: true } },
    })}`,
  "docs/policies/kyverno-identity.yaml": () =>
    `${BY_IDENTITY}${kyverno({ keyless: { subject: IDENTITY, issuer: ISSUER } }, FROM_SOURCE)}`,
  "docs/policies/policy-controller-identity.yaml": () => `${BY_IDENTITY}${policyController()}`,
};

/** What is asked of a statement. */
function conditionsOf(name: PredicateName, source?: Condition): Condition[] {
  return [CONDITIONS[name], name === "provenance" ? source : undefined].filter(
    (each) => each !== undefined,
  );
}

function kyverno(signer: object, source?: Condition): string {
  const attestors = [{ entries: [signer] }];
  const attestations = REQUIRED.map((name) => ({
    type: PREDICATE_TYPES[name],
    attestors,
    conditions: [
      {
        all: conditionsOf(name, source).map(({ path, value }) => ({
          ...{ key: `{{ ${path.join(".")} }}`, operator: "Equals", value },
        })),
      },
    ],
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

/** By identity alone: with a key policy-controller cannot read the bundles that cosign 3 makes. */
function policyController(): string {
  return document({
    apiVersion: "policy.sigstore.dev/v1beta1",
    kind: "ClusterImagePolicy",
    metadata: { name: "slipway" },
    spec: {
      images: [{ glob: IMAGES.replace(/\*$/, "**") }],
      authorities: [
        {
          name: "release",
          keyless: {
            url: "https://fulcio.sigstore.dev",
            identities: [{ subject: IDENTITY, issuer: ISSUER }],
          },
          ctlog: { url: "https://rekor.sigstore.dev" },
          signatureFormat: "bundle",
          attestations: REQUIRED.map((name) => ({
            name,
            predicateType: PREDICATE_TYPES[name],
            policy: { type: "cue", data: cue(conditionsOf(name, FROM_SOURCE)) },
          })),
        },
      ],
    },
  });
}

/** With `!`: CUE would put a field that is missing there by itself, and be content. */
function cue(conditions: readonly Condition[]): string {
  return conditions
    .map(({ path, value }) => {
      const names = ["predicate", ...path].map((name) => `${name}!`).join(": ");
      return `${names}: ${JSON.stringify(value)}\n`;
    })
    .join("");
}

function document(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}

/** What whoever deploys may do: all that Slipway's own objects, a Gateway and the validation need. */
function role(): string {
  const kinds = ["PodDisruptionBudget", "NetworkPolicy", "HTTPRoute", "ConfigMap"];
  const rights = [
    ...rightsNeeded(kinds.map((kind) => ({ kind }))),
    { group: "", resource: "resourcequotas", verb: "list" },
    { group: "", resource: "pods", verb: "create" },
  ];
  const metadata = { name: "slipway", namespace: "NAMESPACE" };
  const api = "rbac.authorization.k8s.io";
  const bound = { apiVersion: `${api}/v1`, kind: "RoleBinding", metadata };
  return [
    "# Generated from what a deployment does: make docs. The rights of who deploys, in the service's namespace.",
    "# resourcequotas and pods/create are for `slipway validate` alone, which says what it cannot look at.",
    stringify({
      apiVersion: `${api}/v1`,
      kind: "Role",
      metadata,
      rules: rulesOf(rights),
    }).trimEnd(),
    "---",
    stringify({
      ...bound,
      roleRef: { apiGroup: api, kind: "Role", name: "slipway" },
      subjects: [{ kind: "ServiceAccount", name: "slipway", namespace: "NAMESPACE" }],
    }),
  ].join("\n");
}
