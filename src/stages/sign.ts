import { dag } from "@dagger.io/dagger";

import {
  PREDICATE_NAMES,
  PREDICATE_TYPES,
  type PredicateName,
} from "../core/attestations/names.js";
import {
  readStatements,
  sameStatement,
  signedDigest,
  type Statement,
} from "../core/attestations/statement.js";
import { SlipwayError } from "../core/errors.js";
import { lastLines } from "../core/text.js";
import { readJson } from "../core/verdicts/verdict.js";
import type { Verifier } from "../core/verifier.js";
import { signing, verifying, type Signer, type Target } from "./cosign.js";
import type { Context } from "./context.js";

/** What `--type` is called in cosign, which checks the form of those it knows. */
const TYPES: Readonly<Record<PredicateName, string>> = {
  ...PREDICATE_TYPES,
  provenance: "slsaprovenance1",
  sbom: "cyclonedx",
  vulnerabilities: "vuln",
};

/**
 * Signs an image by its digest, unless this signer has done so already.
 *
 * @returns whether a signature was added.
 * @throws SlipwayError USAGE for a reference without a digest, RELEASE when cosign fails.
 */
export async function signImage(
  context: Context,
  signer: Signer,
  target: Target,
): Promise<boolean> {
  requireDigest(target);
  const known = await verifying(context, signer.verifier, target, ["verify", "--output=json"]);
  if (known.exitCode === 0 && signedDigest(known.stdout) !== undefined) return false;
  const { exitCode, stderr } = await signing(context, signer, target, ["sign"]);
  if (exitCode !== 0) throw failed("signed", target, stderr);
  return true;
}

/** The statements of one kind about an image with a good signature; empty when there is none. */
export async function statementsOf(
  context: Context,
  verifier: Verifier,
  target: Target,
  name: PredicateName,
): Promise<Statement[]> {
  const { exitCode, stdout } = await verifying(context, verifier, target, [
    "verify-attestation",
    `--type=${TYPES[name]}`,
  ]);
  return exitCode === 0 ? readStatements(stdout) : [];
}

/**
 * Attests what is known of an image, one statement after another (each changes one list in the
 * registry), but for those that this signer has made already.
 *
 * @returns the names of those that were added.
 * @throws SlipwayError USAGE for a reference without a digest, RELEASE when cosign fails.
 */
export async function attestImage(
  context: Context,
  signer: Signer,
  target: Target,
  predicates: Readonly<Partial<Record<PredicateName, unknown>>>,
): Promise<PredicateName[]> {
  requireDigest(target);
  const added: PredicateName[] = [];
  for (const [key, predicate] of Object.entries(predicates)) {
    const name = key as PredicateName;
    const known = await statementsOf(context, signer.verifier, target, name);
    if (known.some((each) => sameStatement(each.predicate, predicate))) continue;
    const file = dag.directory().withNewFile("predicate.json", JSON.stringify(predicate));
    const { exitCode, stderr } = await signing(
      context,
      signer,
      target,
      ["attest", `--type=${TYPES[name]}`, "--predicate=/predicate/predicate.json"],
      (container) => container.withMountedDirectory("/predicate", file),
    );
    if (exitCode !== 0) throw failed(`attested (${name})`, target, stderr);
    added.push(name);
  }
  return added;
}

/**
 * A predicate that a caller brings.
 *
 * @throws SlipwayError USAGE when the name is none of Slipway's, or the text is no JSON object.
 */
export function readPredicate(
  name: string,
  text: string | undefined,
): Partial<Record<PredicateName, unknown>> {
  const known = PREDICATE_NAMES.find((each) => each === name);
  if (known === undefined)
    throw new SlipwayError(
      "USAGE",
      `"${name}" is nothing that is attested here; --name takes ${PREDICATE_NAMES.join(", ")}.`,
    );
  const value = readJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SlipwayError(
      "USAGE",
      "The predicate (--predicate) has to be a file with a JSON object.",
    );
  return { [known]: value };
}

/** A tag can be moved between two steps; a digest cannot. */
function requireDigest({ reference }: Target): void {
  if (/@sha256:[0-9a-f]{64}$/.test(reference)) return;
  throw new SlipwayError(
    "USAGE",
    `"${reference}" has no digest: sign and attest registry/repository@sha256:…, which nobody can move.`,
  );
}

function failed(what: string, { reference }: Target, stderr: string): SlipwayError {
  return new SlipwayError(
    "RELEASE",
    `${reference} was not ${what}: ${lastLines(stderr, 2)}. Run it again: what is done is not done twice.`,
  );
}
