import { attestedModel } from "../../core/attestations/about.js";
import type { PredicateName } from "../../core/attestations/names.js";
import type { Model } from "../../core/attestations/predicates.js";
import { SlipwayError } from "../../core/errors.js";
import { rulesTable } from "../../core/evidence.js";
import { allWell } from "../../core/policy.js";
import { readOrigin } from "../../core/origin.js";
import type { Context } from "../context.js";
import { publishTarget } from "../publish.js";
import { atDigest, verifierOf, verifyImage } from "../verify.js";
import type { Access } from "./open.js";

/** An image that may be deployed. */
export interface VerifiedImage {
  /** By digest. */
  readonly reference: string;
  /** The tag that it was asked for by. */
  readonly tag?: string | undefined;
  readonly commit?: string | undefined;
  /** The version of the model that it was released with. */
  readonly attested?: Model | undefined;
  /** Who signed, for the records. */
  readonly verified: string;
}

/** What is deployed when nobody says what: the image under the tag of the project's version. */
export function referenceOf(context: Context, given: string): string {
  if (given !== "") return given;
  const { repository, tags } = publishTarget(context, { overwrite: false });
  const [tag] = tags;
  return `${repository}:${tag ?? ""}`;
}

/** The statement of the model, of which a deployment takes the version, whatever the policy asks for. */
export function modelStatement({ config }: Pick<Context, "config">): PredicateName[] {
  return config.model.enabled ? ["model"] : [];
}

/**
 * Verifies an image by the policy; a tag is resolved once, and from then on only its digest is meant.
 *
 * @throws SlipwayError USAGE when a rule does not hold.
 */
export async function verifiedImage(
  context: Context,
  access: Access,
  reference: string,
): Promise<VerifiedImage> {
  const verifier = await verifierOf(context, access.publicKey);
  const target = { ...context, reference, login: access.login };
  const { rules, evidence } = await verifyImage(context, verifier, target, modelStatement(context));
  if (!allWell(rules) || evidence.digest === undefined)
    throw new SlipwayError(
      "USAGE",
      `Nothing was changed: the image ${reference} is not verified.\n${rulesTable(rules)}`,
    );
  return {
    reference: atDigest(target, evidence.digest).reference,
    tag: /:([\w][\w.-]*)$/.exec(reference.split("@")[0] ?? "")?.[1],
    attested: attestedModel(evidence.digest, evidence.statements),
    commit: readOrigin(evidence.statements.provenance?.[0]?.predicate).data?.commit,
    verified: verifier.kind === "key" ? "signed with the key" : `signed by ${verifier.identity}`,
  };
}

/**
 * Verifies an image that served in this cluster before. How old its scan is does not matter: what
 * served takes the place of something that does not work, and to scan it anew takes a release.
 *
 * @throws SlipwayError USAGE when any other rule does not hold.
 */
export async function servedImage(
  context: Context,
  access: Access,
  reference: string,
): Promise<VerifiedImage> {
  const { config } = context;
  const ageless = { ...config, verify: { ...config.verify, age: Infinity } };
  return await verifiedImage({ ...context, config: ageless }, access, reference);
}
