/** What Slipway says of an image, in the order in which it is attested. */
export const PREDICATE_NAMES = ["provenance", "sbom", "vulnerabilities", "tests", "model"] as const;
export type PredicateName = (typeof PREDICATE_NAMES)[number];

/** in-toto predicate type by name; it is also what `cosign verify-attestation --type` takes. */
export const PREDICATE_TYPES: Readonly<Record<PredicateName, string>> = {
  provenance: "https://slsa.dev/provenance/v1",
  sbom: "https://cyclonedx.org/bom",
  vulnerabilities: "https://cosign.sigstore.dev/attestation/vuln/v1",
  tests: "https://in-toto.io/attestation/test-result/v0.1",
  model: "urn:slipway:predicate:model:v1",
};

/**
 * Who builds: Slipway where nobody vouches for the machine. The signature is made inside the job
 * with a key that the job holds, which is SLSA build level 1 and no more.
 */
export const BUILDER = "urn:slipway:builder:slsa-build-level-1";

/** How an image comes about; docs/build-type.md describes it. */
export const BUILD_TYPE = "urn:slipway:build-type:python-service:v1";

/** How an image comes about in a workflow of GitHub, as `actions/attest-build-provenance` says it. */
export const GITHUB_BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1";
