import type { PredicateName } from "../core/attestations/names.js";
import { signedDigest } from "../core/attestations/statement.js";
import { SlipwayError } from "../core/errors.js";
import { publicKeyProblem } from "../core/keys.js";
import { decide, type Evidence, type Rule } from "../core/policy.js";
import { lastLines } from "../core/text.js";
import {
  builderProblem,
  strangerProblem,
  wantedIdentity,
  type Verifier,
} from "../core/verifier.js";
import type { Target } from "./cosign.js";
import type { Context } from "./context.js";
import { knownOf } from "./sign.js";

/** The answer to whether an image may be believed, and what it rests on. */
export interface Verified {
  readonly rules: readonly Rule[];
  readonly evidence: Evidence;
  /** Whose signatures were looked for. */
  readonly verifier: Verifier;
}

/**
 * Looks up what an image proves and decides by the policy (`verify` of the configuration). A tag is
 * resolved once, with the signature: everything else is asked of that digest.
 *
 * @param also Statements to look up that the policy does not ask for.
 */
export async function verifyImage(
  context: Context,
  verifier: Verifier,
  target: Target,
  also: readonly PredicateName[] = [],
): Promise<Verified> {
  const { predicates } = context.config.verify;
  // Which platforms have to be described says the provenance, whether or not the policy asks for that.
  const platforms: PredicateName[] = predicates.includes("sbom") ? ["provenance"] : [];
  const names = [...new Set([...predicates, ...platforms, ...also])];
  const isByDigest = target.reference.includes("@");
  const first = await knownOf(context, verifier, target, isByDigest ? names : []);
  const { exitCode, stdout, stderr } = first.signature;
  const digest = exitCode === 0 ? signedDigest(stdout) : undefined;
  const { statements } =
    digest === undefined || isByDigest
      ? first
      : await knownOf(context, verifier, atDigest(target, digest), names);
  const complaint = exitCode === 0 ? "there is none, only attestations" : lastLines(stderr, 1);
  const evidence: Evidence = {
    digest,
    complaint,
    statements: digest === undefined ? {} : statements,
  };
  const { verify: policy, model } = context.config;
  return { evidence, verifier, rules: decide(evidence, { policy, model, now: new Date() }) };
}

/** The same image by its digest, whatever tag it was asked for by. */
export function atDigest(target: Target, digest: string): Target {
  const [named = ""] = target.reference.split("@");
  const repository = named.replace(/:[\w][\w.-]*$/, "");
  return { ...target, reference: `${repository}@${digest}` };
}

/**
 * Whose signatures count: of the key that the caller gives, else of `verify.identity`, else of the
 * key in `verify.key` of the project.
 *
 * @throws SlipwayError USAGE when there is none, or one that cannot be used.
 */
export async function verifierOf(context: Context, given: string | undefined): Promise<Verifier> {
  const path = context.config.verify.key;
  const identity = given === undefined ? await identityOf(context) : undefined;
  if (identity) return identity;
  const publicKey = given ?? (await textOf(context, path));
  if (publicKey === undefined)
    throw new SlipwayError(
      "USAGE",
      `There is no key to verify with: pass --public-key, put it in ${path} (verify.key), or say who signs without one (verify.identity and verify.issuer).`,
    );
  const problem = publicKeyProblem(publicKey);
  if (problem === undefined) return { kind: "key", publicKey };
  throw new SlipwayError("USAGE", `The key to verify with cannot be used: ${problem}.`);
}

/**
 * A release verifies with what signed it. So what signs has to be what the project's policy believes:
 * else the release would be content, and everybody after it would not. And the policy has to ask for
 * what a release can attest: else it would end without tags after all its work.
 *
 * @throws SlipwayError USAGE when the policy believes somebody else, or another builder.
 */
export async function refuseStranger(context: Context, signer: Verifier): Promise<void> {
  const { verify } = context.config;
  const foreign = builderProblem(verify);
  if (foreign !== undefined)
    throw new SlipwayError(
      "USAGE",
      `The release could not pass its own verification: ${foreign}. Nothing was run.`,
    );
  const problem = strangerProblem(signer, verify, await textOf(context, verify.key));
  if (problem === undefined) return;
  throw new SlipwayError(
    "USAGE",
    `The signing key cannot be used for a release: ${problem}. Nothing was run.`,
  );
}

/**
 * Who signs without a key, as the configuration says; undefined when it says nothing.
 *
 * @throws SlipwayError USAGE for half of an identity, or a trusted root that is not there.
 */
export async function identityOf(
  context: Context,
): Promise<Extract<Verifier, { kind: "identity" }> | undefined> {
  const { verify } = context.config;
  const wanted = wantedIdentity(verify);
  const path = verify.trustedRoot;
  if (!wanted || path === undefined) return wanted && { kind: "identity", ...wanted };
  const text = await textOf(context, path);
  if (text === undefined)
    throw new SlipwayError(
      "USAGE",
      `There is no key to verify with, and no file ${path} (verify.trustedRoot) in the project.`,
    );
  return { kind: "identity", ...wanted, root: { path, text } };
}

async function textOf({ source }: Context, path: string): Promise<string | undefined> {
  return await source
    .file(path)
    .contents()
    .catch(() => undefined);
}
