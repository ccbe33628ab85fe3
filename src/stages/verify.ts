import { signedDigest } from "../core/attestations/statement.js";
import type { PredicateName } from "../core/attestations/names.js";
import { SlipwayError } from "../core/errors.js";
import { publicKeyProblem } from "../core/keys.js";
import { decide, type Evidence, type Rule } from "../core/policy.js";
import { lastLines } from "../core/text.js";
import { verifying, type Target } from "./cosign.js";
import type { Context } from "./context.js";
import { statementsOf } from "./sign.js";

/** The answer to whether an image may be believed, and what it rests on. */
export interface Verified {
  readonly rules: readonly Rule[];
  readonly evidence: Evidence;
}

/**
 * Looks up what an image proves and decides by the policy (`verify` of the configuration). A tag is
 * resolved once, with the signature: everything else is asked of that digest.
 */
export async function verifyImage(
  context: Context,
  publicKey: string,
  target: Target,
): Promise<Verified> {
  const { exitCode, stdout, stderr } = await verifying(context, publicKey, target, [
    "verify",
    "--output=json",
  ]);
  const digest = exitCode === 0 ? signedDigest(stdout) : undefined;
  const statements =
    digest === undefined ? {} : await statementsAbout(context, publicKey, atDigest(target, digest));
  const complaint = exitCode === 0 ? "there is none, only attestations" : lastLines(stderr, 1);
  const evidence: Evidence = { digest, complaint, statements };
  const { verify: policy, model } = context.config;
  return { evidence, rules: decide(evidence, { policy, model, now: new Date() }) };
}

async function statementsAbout(
  context: Context,
  publicKey: string,
  target: Target,
): Promise<Evidence["statements"]> {
  const names = context.config.verify.predicates;
  const found = await Promise.all(
    names.map(async (name): Promise<[PredicateName, Awaited<ReturnType<typeof statementsOf>>]> => [
      name,
      await statementsOf(context, publicKey, target, name),
    ]),
  );
  return Object.fromEntries(found);
}

/** The same image by its digest, whatever tag it was asked for by. */
export function atDigest(target: Target, digest: string): Target {
  const [named = ""] = target.reference.split("@");
  const repository = named.replace(/:[\w][\w.-]*$/, "");
  return { ...target, reference: `${repository}@${digest}` };
}

/**
 * The key to verify with: what the caller gives, else `verify.key` of the project.
 *
 * @throws SlipwayError USAGE when there is none.
 */
export async function publicKeyOf(context: Context, given: string | undefined): Promise<string> {
  const path = context.config.verify.key;
  const text =
    given ??
    (await context.source
      .file(path)
      .contents()
      .catch(() => undefined));
  if (text === undefined)
    throw new SlipwayError(
      "USAGE",
      `There is no key to verify with: pass --public-key, or put it in ${path} (verify.key).`,
    );
  const problem = publicKeyProblem(text);
  if (problem === undefined) return text;
  throw new SlipwayError("USAGE", `The key to verify with cannot be used: ${problem}.`);
}
