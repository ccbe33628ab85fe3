import { createPrivateKey, X509Certificate } from "node:crypto";

import * as z from "zod";

/** A user of a kubeconfig. */
export const user = z.looseObject({
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  "client-certificate": z.string().optional(),
  "client-certificate-data": z.string().optional(),
  "client-key": z.string().optional(),
  "client-key-data": z.string().optional(),
  exec: z.looseObject({ command: z.string().optional() }).nullish(),
  "auth-provider": z.looseObject({ name: z.string().optional() }).nullish(),
});

/** What a kubeconfig says of a user. */
export type User = z.infer<typeof user>;

/** What a user of a kubeconfig proves himself by. */
export interface Credentials {
  /** What must not appear anywhere. */
  readonly secrets: readonly string[];
  /** When the first of them runs out. */
  readonly expires?: Date;
  /** Why they cannot be used; no secret is in it. */
  readonly problems: readonly string[];
}

/** Files that a kubeconfig can name in place of content. */
const PATHS = ["tokenFile", "client-certificate", "client-key"] as const;

/** Looks at token, certificate and key, and when they run out; asks nobody. */
export function credentialsOf(user: User, now: Date): Credentials {
  const { token, password, exec, "auth-provider": provider } = user;
  const problems = PATHS.flatMap((key) => {
    const path = user[key];
    return path === undefined ? [] : [pathProblem(key, path)];
  });
  if (exec)
    problems.push(
      `its user asks the program ${exec.command ?? ""} for a token, which no container has; make a kubeconfig with a token of its own (\`kubectl create token\`, or the cloud's login in a step before)`,
    );
  if (provider)
    problems.push(
      `its user has an auth-provider (${provider.name ?? ""}), which kubectl knows no more; make a kubeconfig with a token`,
    );
  const certificate = certificateOf(user);
  const isToken = token !== undefined && token !== "";
  const has = isToken || certificate !== undefined || password !== undefined;
  if (!has && problems.length === 0)
    problems.push("its user has neither a token nor a client certificate");
  const ends: Date[] = [];
  if (certificate?.problem !== undefined) problems.push(certificate.problem);
  if (certificate?.ends) {
    ends.push(certificate.ends);
    if (certificate.begins && certificate.begins > now)
      problems.push(
        `its client certificate is valid only from ${certificate.begins.toISOString()} on`,
      );
    if (certificate.ends <= now)
      problems.push(`its client certificate expired at ${certificate.ends.toISOString()}`);
  }
  const tokenEnds = isToken ? expiryOf(token) : undefined;
  if (tokenEnds) {
    ends.push(tokenEnds);
    if (tokenEnds <= now) problems.push(`its token expired at ${tokenEnds.toISOString()}`);
  }
  const [first] = ends.sort((a, b) => a.getTime() - b.getTime());
  return {
    secrets: [token, password, user["client-key-data"]].flatMap((secret) =>
      secret === undefined || secret === "" ? [] : [secret],
    ),
    ...(first && { expires: first }),
    problems,
  };
}

/** When a JWT runs out; undefined for other tokens, and those that do not. */
function expiryOf(token: string): Date | undefined {
  const [, claims = "", ...rest] = token.split(".");
  if (rest.length !== 1) return undefined;
  try {
    const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString()) as { exp?: unknown };
    return typeof exp === "number" ? new Date(exp * 1000) : undefined;
  } catch {
    return undefined;
  }
}

interface Certificate {
  readonly begins?: Date;
  readonly ends?: Date;
  readonly problem?: string;
}

function certificateOf(user: User): Certificate | undefined {
  const data = user["client-certificate-data"];
  const key = user["client-key-data"];
  if (data === undefined || data === "")
    return key === undefined || user["client-certificate"] !== undefined
      ? undefined
      : { problem: "it has a client key but no client certificate" };
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(Buffer.from(data, "base64"));
  } catch {
    return { problem: "its client-certificate-data is no certificate (base64 of PEM)" };
  }
  const begins = new Date(certificate.validFrom);
  const ends = new Date(certificate.validTo);
  const problem = keyProblem(certificate, key, user["client-key"] !== undefined);
  return { begins, ends, ...(problem !== undefined && { problem }) };
}

function keyProblem(
  certificate: X509Certificate,
  key: string | undefined,
  isPath: boolean,
): string | undefined {
  if (key === undefined || key === "")
    return isPath ? undefined : "it has a client certificate but no client key";
  try {
    const made = createPrivateKey(Buffer.from(key, "base64"));
    return certificate.checkPrivateKey(made)
      ? undefined
      : "its client key is not the one of its client certificate";
  } catch {
    return "its client-key-data is no private key (base64 of PEM, without a password)";
  }
}

/** What a path in a kubeconfig means to a container: nothing. */
export function pathProblem(key: string, path: string): string {
  return `${key} is a path (${path}), and no container has that file; \`kubectl config view --flatten --raw --minify\` writes the content in its place`;
}
