import * as z from "zod";
import { BUILDER } from "./attestations/names.js";
import type { Config } from "./config/schema.js";
import { SlipwayError } from "./errors.js";

/** How a good signature is recognized. */
export type Verifier =
  /** By a key, PEM. */
  | { readonly kind: "key"; readonly publicKey: string }
  /** By the identity in a certificate, and by who vouches for it. */
  | {
      readonly kind: "identity";
      readonly identity: string;
      readonly issuer: string;
      /** `OWNER/NAME` on GitHub, whose job has to have signed; any when absent. */
      readonly repository?: string | undefined;
      /** trusted_root.json of a Sigstore of one's own; the public one when absent. */
      readonly root?: { readonly path: string; readonly text: string } | undefined;
    };

/**
 * Whom the configuration asks for; undefined when it asks for nobody in particular.
 *
 * @throws SlipwayError USAGE when identity or issuer is missing: the others alone say nothing.
 */
export function wantedIdentity({
  identity,
  issuer,
  repository,
}: Config["verify"]):
  | { readonly identity: string; readonly issuer: string; readonly repository?: string | undefined }
  | undefined {
  if (identity === undefined && issuer === undefined && repository === undefined) return undefined;
  if (identity !== undefined && issuer !== undefined)
    return { identity, issuer, ...(repository === undefined ? {} : { repository }) };
  const missing = identity === undefined ? "verify.identity" : "verify.issuer";
  throw new SlipwayError(
    "USAGE",
    `There is no key to verify with, and of the identity one half is missing: set ${missing} too. Anybody can get a certificate: only identity and issuer together say whose.`,
  );
}

/**
 * Why nobody who follows the project's policy would believe what this signer signs; undefined when they
 * would, or when the project says nothing of who signs.
 *
 * @param projectKey The file `verify.key` of the project, when it is there.
 */
export function strangerProblem(
  signer: Verifier,
  policy: Pick<Config["verify"], "identity" | "key">,
  projectKey: string | undefined,
): string | undefined {
  if (signer.kind === "identity") return undefined;
  if (policy.identity !== undefined)
    return `the policy believes ${policy.identity} (verify.identity), and what signs is a key: leave the key out, or verify.identity`;
  if (projectKey === undefined || bare(projectKey) === bare(signer.publicKey)) return undefined;
  return `its public half is not the project's ${policy.key} (verify.key): sign with the key that belongs to it, or put the public half of this one there`;
}

/**
 * Why no release can pass the project's policy; undefined when one can. What another builder says of the image
 * it can say only when that is there, and then the release has ended.
 */
export function builderProblem({ predicates, builder }: Config["verify"]): string | undefined {
  return !predicates.includes("provenance") || isWanted(BUILDER, builder)
    ? undefined
    : `the policy asks for a provenance of ${builder} (verify.builder), and a release attests that ${BUILDER} built the image. Leave verify.builder out here, and give it where the image is verified or deployed (SLIPWAY_VERIFY_BUILDER)`;
}

/** A PEM file without how its lines are broken. */
function bare(pem: string): string {
  return pem.replace(/\s+/g, "");
}

/** Where the files lie that the flags name. */
interface Paths {
  readonly key: string;
  readonly root: string;
}

/** The flags with which cosign looks for signatures of somebody, as `--name=value`. */
export function verifierFlags(verifier: Verifier, paths: Paths): string[] {
  // The signature is checked against the key alone: no public log has it.
  if (verifier.kind === "key") return [`--key=${paths.key}`, "--insecure-ignore-tlog=true"];
  const { identity, issuer, repository, root } = verifier;
  return [
    matching("certificate-identity", identity),
    matching("certificate-oidc-issuer", issuer),
    ...(repository === undefined ? [] : [`--certificate-github-workflow-repository=${repository}`]),
    ...(root ? [`--trusted-root=${paths.root}`, ...rootFlags(root.text)] : []),
  ];
}

/** Between slashes a regular expression, which has to match all of it; else undefined: the very text. */
function expression(wanted: string): string | undefined {
  const [, pattern] = /^\/(.+)\/$/.exec(wanted) ?? [];
  return pattern === undefined ? undefined : `^(?:${pattern})$`;
}

/** Whether a text is the one that the configuration wants, which may be an expression. */
export function isWanted(found: string, wanted: string): boolean {
  const pattern = expression(wanted);
  return pattern === undefined ? found === wanted : new RegExp(pattern).test(found);
}

function matching(flag: string, wanted: string): string {
  const pattern = expression(wanted);
  return pattern === undefined ? `--${flag}=${wanted}` : `--${flag}-regexp=${pattern}`;
}

const trustedRoot = z.looseObject({
  certificateAuthorities: z.array(z.unknown()).default([]),
  tlogs: z.array(z.unknown()).default([]),
  ctlogs: z.array(z.unknown()).default([]),
  timestampAuthorities: z.array(z.unknown()).default([]),
});

/**
 * What cosign is told of a Sigstore that lacks a part of the public one. A certificate lives for
 * minutes: something has to prove that the signature is no older, a log or a timestamp.
 *
 * @throws SlipwayError USAGE for a root that nothing can be verified with.
 */
function rootFlags(text: string): string[] {
  const root = readRoot(text);
  const problem =
    root === undefined
      ? "is no trusted root"
      : root.certificateAuthorities.length === 0
        ? "names no certificate authority"
        : root.tlogs.length + root.timestampAuthorities.length === 0
          ? "names neither a log nor a timestamp authority, so nothing says when a signature was made"
          : undefined;
  if (root === undefined || problem !== undefined)
    throw new SlipwayError(
      "USAGE",
      `There is no key to verify with, and verify.trustedRoot ${problem ?? ""}; \`cosign trusted-root create\` makes one.`,
    );
  return [
    ...(root.ctlogs.length === 0 ? ["--insecure-ignore-sct=true"] : []),
    ...(root.tlogs.length === 0
      ? ["--insecure-ignore-tlog=true", "--use-signed-timestamps=true"]
      : []),
  ];
}

function readRoot(text: string): z.infer<typeof trustedRoot> | undefined {
  try {
    return trustedRoot.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
