import * as z from "zod";
import { SlipwayError } from "./errors.js";

/** A key that cosign asks a service to sign with. */
const REFERENCE = /^(awskms|azurekms|gcpkms|hashivault|openbao|k8s):\/\/\S+$/;

/** What a caller gave to sign with; secrets only by whether they are there. */
export interface Means {
  readonly key: boolean;
  readonly reference: string | undefined;
  readonly credentials: boolean;
  readonly token: boolean;
  readonly requestUrl: string | undefined;
  readonly requestToken: boolean;
}

/** Who signs: a key, a key in a KMS, the holder of an OIDC token, or the job on GitHub. */
export type SignerKind = "key" | "reference" | "token" | "github";

/**
 * Who signs. A key, a reference and a token exclude each other; GitHub's tokens, which every job
 * with that permission could ask for, come last.
 *
 * @throws SlipwayError USAGE naming what is missing, contradicts itself or is malformed.
 */
export function signerKind(means: Means): SignerKind {
  const { reference = "", requestUrl = "" } = means;
  const chosen: SignerKind[] = [
    ...(means.key ? (["key"] as const) : []),
    ...(reference === "" ? [] : (["reference"] as const)),
    ...(means.token ? (["token"] as const) : []),
  ];
  if (chosen.length > 1)
    throw refused("more than one is given of --key, --key-reference and --identity-token");
  if (reference !== "" && !REFERENCE.test(reference))
    throw refused(
      "--key-reference takes awskms://…, azurekms://…, gcpkms://…, hashivault://…, openbao://… or k8s://…; a key itself is given as --key",
    );
  if (means.credentials && reference === "")
    throw refused("--key-credentials are for a key in a KMS: pass --key-reference too");
  const [kind] = chosen;
  if (kind !== undefined) return kind;
  if (requestUrl !== "" && means.requestToken) return "github";
  if (requestUrl !== "" || means.requestToken)
    throw refused("GitHub's tokens take both --request-url and --request-token");
  throw refused(
    "there is none: pass --key (COSIGN_PRIVATE_KEY), --key-reference for a key in a KMS, or --identity-token (SIGSTORE_ID_TOKEN); a job on GitHub with the permission id-token: write needs none of them",
  );
}

function refused(why: string): SlipwayError {
  return new SlipwayError("USAGE", `What to sign with cannot be used: ${why}. Nothing was run.`);
}

const claims = z.looseObject({ exp: z.number().optional() });

/** Why a text is no OIDC token that can still be used; undefined when it is one. Never repeats the text. */
export function tokenProblem(text: string, now: Date): string | undefined {
  const parts = text.trim().split(".");
  if (text.trim() === "") return "it is empty";
  if (parts.length !== 3) return "it is no OIDC token: those have three parts with a dot between";
  let read: z.infer<typeof claims>;
  try {
    read = claims.parse(JSON.parse(Buffer.from(parts[1] ?? "", "base64url").toString("utf8")));
  } catch {
    return "it is no OIDC token: its second part cannot be read";
  }
  const { exp } = read;
  if (exp === undefined || exp * 1000 > now.getTime()) return undefined;
  return `it expired at ${new Date(exp * 1000).toISOString()}`;
}

/** A variable of cosign's environment that opens a KMS. */
export interface Credential {
  readonly name: string;
  readonly value: string;
  /** Whether the variable names a file, and the value is what is in it. */
  readonly file: boolean;
}

const OPENS = /^(AWS|AZURE|GOOGLE|VAULT|BAO|TRANSIT)_[A-Z0-9_]+$|^KUBECONFIG$/;
/** By name: a mount path of Vault's (TRANSIT_SECRET_ENGINE_PATH) is no file, and VAULT_CACERT is one. */
const FILES = new Set([
  ...["KUBECONFIG", "GOOGLE_APPLICATION_CREDENTIALS"],
  ...["AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"],
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  ...["AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"],
  ...["VAULT_CACERT", "VAULT_CLIENT_CERT", "VAULT_CLIENT_KEY"],
  ...["BAO_CACERT", "BAO_CLIENT_CERT", "BAO_CLIENT_KEY"],
]);

/**
 * Variables, one `NAME=value` a line. A variable that names a file (KUBECONFIG, VAULT_CACERT,
 * GOOGLE_APPLICATION_CREDENTIALS, …) takes the file's text, on one line: PEM with `\n` between its lines.
 *
 * @throws SlipwayError USAGE naming the line, never what is on it.
 */
export function readCredentials(text: string): Credential[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "" || line.startsWith("#")) return [];
    const [, name = "", value = ""] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
    const problem =
      name === ""
        ? "is not NAME=value"
        : !OPENS.test(name)
          ? "has a variable that opens no KMS"
          : value === ""
            ? "has an empty value"
            : undefined;
    if (problem !== undefined)
      throw refused(
        `line ${index + 1} of --key-credentials ${problem}; it takes AWS_*, AZURE_*, GOOGLE_*, VAULT_*, BAO_*, TRANSIT_* and KUBECONFIG`,
      );
    // PEM has lines of its own; JSON's escapes are its own, too.
    const whole = value.startsWith("-----BEGIN ") ? value.replaceAll("\\n", "\n") : value;
    return [{ name, value: whole, file: FILES.has(name) }];
  });
}
