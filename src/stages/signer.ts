import { dag, type Container, type Secret } from "@dagger.io/dagger";

import { SlipwayError } from "../core/errors.js";
import { privateKeyProblem } from "../core/keys.js";
import { readCredentials, signerKind, tokenProblem } from "../core/signer.js";
import { lastLines } from "../core/text.js";
import type { Context } from "./context.js";
import { base, cosign, offline, type Signer } from "./cosign.js";
import { withRegistry } from "./programs.js";
import { identityOf } from "./verify.js";

const KEY = "/run/cosign/cosign.key";
const TOKEN = "/run/cosign/identity-token";
const SIGNING_CONFIG = "/etc/cosign/signing-config.json";
const TRUSTED_ROOT = "/etc/cosign/trusted-root.json";

/** What a caller gives to sign with; one of these, each with what belongs to it. */
export interface SignerArguments {
  /** As cosign makes them, encrypted. */
  readonly key?: Secret | undefined;
  readonly keyPassword?: Secret | undefined;
  /** Address of a key in a KMS. */
  readonly keyReference?: string | undefined;
  /** Lines `NAME=value` that open the KMS. */
  readonly keyCredentials?: Secret | undefined;
  /** An OIDC token. */
  readonly identityToken?: Secret | undefined;
  /** Where GitHub gives a job such tokens, and what the job shows there. */
  readonly requestUrl?: string | undefined;
  readonly requestToken?: Secret | undefined;
}

/**
 * Who signs, by what was given. All that can be known to be wrong is said before anything runs.
 *
 * @throws SlipwayError USAGE naming all that is missing or wrong; never a secret.
 */
export async function signerOf(context: Context, given: SignerArguments): Promise<Signer> {
  const { key, keyPassword, keyReference, keyCredentials, identityToken } = given;
  const kind = signerKind({
    key: key !== undefined,
    reference: keyReference,
    credentials: keyCredentials !== undefined,
    token: identityToken !== undefined,
    requestUrl: given.requestUrl,
    requestToken: given.requestToken !== undefined,
  });
  if (kind === "key" && key) return await withKey(context, key, keyPassword);
  if (kind === "reference")
    return await withReference(context, keyReference ?? "", await keyCredentials?.plaintext());
  return await withoutKey(context, given);
}

async function withKey(
  context: Context,
  key: Secret,
  password: Secret | undefined,
): Promise<Signer> {
  const problem = privateKeyProblem(await key.plaintext());
  if (problem !== undefined)
    throw new SlipwayError(
      "USAGE",
      `The signing key (COSIGN_PRIVATE_KEY) cannot be used: ${problem}. Nothing was run. \`slipway keys generate\` makes a pair.`,
    );
  const signer = {
    named: "with this key",
    flags: [`--key=${KEY}`, ...services()],
    secrets: password ? { COSIGN_PASSWORD: password } : {},
    prepare: (container: Container): Container => {
      const ready = offline(container).withMountedSecret(KEY, key);
      // Without the variable cosign asks a person.
      return password ? ready : ready.withEnvVariable("COSIGN_PASSWORD", "");
    },
  };
  const { publicKey, said } = await publicHalf(context, signer, KEY, true);
  if (publicKey === undefined)
    throw new SlipwayError(
      "USAGE",
      `The password (COSIGN_PASSWORD) does not open the signing key: ${said}. Nothing was signed.`,
    );
  return { ...signer, verifier: { kind: "key", publicKey } };
}

async function withReference(
  context: Context,
  keyReference: string,
  credentials = "",
): Promise<Signer> {
  const given = readCredentials(credentials).map((each) => ({
    ...each,
    // Named by its variable and reference: one secret is not taken for another's.
    secret: dag.setSecret(`${each.name} of ${keyReference}`, each.value),
  }));
  const files = given.filter(({ file }) => file);
  const variables = given.filter(({ file }) => !file);
  const signer = {
    keyReference,
    named: "with this key",
    flags: [`--key=${keyReference}`, ...services()],
    secrets: Object.fromEntries(variables.map(({ name, secret }) => [name, secret])),
    prepare: (container: Container): Container =>
      files.reduce((each, { name, secret }) => {
        const path = `/run/cosign/${name}`;
        return each.withMountedSecret(path, secret).withEnvVariable(name, path);
      }, offline(container)),
  };
  const { publicKey, said } = await publicHalf(context, signer, keyReference);
  if (publicKey === undefined)
    throw new SlipwayError(
      "USAGE",
      `The key ${keyReference} cannot be used: ${said}. Nothing was signed. What opens it are --key-credentials.`,
    );
  return { ...signer, verifier: { kind: "key", publicKey } };
}

/**
 * The public half of a key; who has that can use the key.
 *
 * @param kept Whether the same key and password give the same answer for ever.
 */
async function publicHalf(
  context: Context,
  { prepare, secrets }: Pick<Signer, "prepare" | "secrets">,
  key: string,
  kept = false,
): Promise<{ publicKey?: string; said: string }> {
  const run = await cosign(
    context,
    await withRegistry(prepare(base(context)), context),
    ["public-key", `--key=${key}`],
    { secrets, kept },
  );
  if (run.exitCode !== 0) return { said: lastLines(run.stderr, 1) };
  return { publicKey: run.stdout, said: "" };
}

async function withoutKey(context: Context, given: SignerArguments): Promise<Signer> {
  const { identityToken, requestToken, requestUrl = "" } = given;
  const verifier = await identityOf(context);
  if (!verifier)
    throw new SlipwayError(
      "USAGE",
      "Signing without a key cannot be used: set verify.identity and verify.issuer. Whose signature it will be has to be known, or nobody could verify it. Nothing was run.",
    );
  const { sign, verify } = context.config;
  if ((sign.signingConfig === undefined) !== (verify.trustedRoot === undefined))
    throw new SlipwayError(
      "USAGE",
      `Signing without a key cannot be used: a Sigstore of one's own takes sign.signingConfig and verify.trustedRoot, and ${sign.signingConfig === undefined ? "sign.signingConfig" : "verify.trustedRoot"} is not set. Nothing was run.`,
    );
  const problem = identityToken && tokenProblem(await identityToken.plaintext(), new Date());
  if (problem !== undefined)
    throw new SlipwayError(
      "USAGE",
      `The token (SIGSTORE_ID_TOKEN) cannot be used: ${problem}. Nothing was run.`,
    );
  const own = sign.signingConfig;
  return {
    verifier,
    named: "by this identity",
    flags: [
      identityToken ? `--identity-token=${TOKEN}` : "--oidc-provider=github-actions",
      ...(own === undefined ? [] : services()),
    ],
    // Asked for by cosign, each time it signs: a token that is asked for now is old after the build.
    secrets: identityToken || !requestToken ? {} : { ACTIONS_ID_TOKEN_REQUEST_TOKEN: requestToken },
    prepare: (container) => {
      const ready =
        own === undefined
          ? container
          : container
              .withFile(SIGNING_CONFIG, context.source.file(own))
              .withNewFile(TRUSTED_ROOT, verifier.root?.text ?? "");
      return identityToken
        ? ready.withMountedSecret(TOKEN, identityToken)
        : ready.withEnvVariable("ACTIONS_ID_TOKEN_REQUEST_URL", requestUrl);
    },
  };
}

function services(): string[] {
  return [`--signing-config=${SIGNING_CONFIG}`, `--trusted-root=${TRUSTED_ROOT}`];
}
