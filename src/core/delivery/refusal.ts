import { lastLines, oneLine } from "../text.js";

/**
 * Why kubectl did not do what it was asked to, and what to do about it.
 *
 * @param what The thing it was asked for: `the canary was not applied`.
 */
export function refusal(what: string, stderr: string): string {
  const said = lastLines(stderr, 3);
  const found = REASONS.find(({ pattern }) => pattern.test(stderr));
  if (found) return `${what}: ${found.why(stderr)}\n  kubectl: ${oneLine(said, 400)}`;
  return `${what}: ${oneLine(said, 600)}`;
}

const REASONS: readonly { readonly pattern: RegExp; readonly why: (stderr: string) => string }[] = [
  {
    pattern: /Apply failed with \d+ conflict/,
    why: (stderr) =>
      `${ownersOf(stderr)} of the same objects; Slipway does not overwrite it. Let only one of them set that: take it out of the manifests that Slipway applies, or take the field from the other one.`,
  },
  {
    pattern: /\bUnauthorized\b|must be logged in|provide credentials|certificate has expired/i,
    why: () =>
      "the cluster does not accept the credentials any more. Make a new kubeconfig (KUBE_CONFIG_DATA); what is half done is taken back by the next run, or by `slipway abort`.",
  },
  {
    pattern: /\bForbidden\b.*exceeded quota|exceeded quota/i,
    why: () =>
      "the namespace's quota has no room for it. Raise the quota, or lower deploy.resources.",
  },
  {
    pattern: /\bForbidden\b/i,
    why: () =>
      "the kubeconfig's user may not do that. `slipway validate` lists every right that is missing.",
  },
  {
    pattern: /field is immutable/i,
    why: () =>
      "an object that is there already cannot be changed so. Was it made by something else? Give deploy.name another name, or delete that object when nobody needs it.",
  },
  {
    pattern:
      /connection refused|was refused|i\/o timeout|no route to host|TLS handshake timeout|EOF|ServiceUnavailable|currently unable|connection lost|deadline exceeded|no such host/i,
    why: () =>
      "the API server does not answer, however often it was asked. What is half done is taken back by the next run, or by `slipway abort`.",
  },
];

/** `"kubectl-edit" sets .spec.replicas` */
function ownersOf(stderr: string): string {
  const owners = [
    ...stderr.matchAll(/conflicts? with "([^"]+)"[^:]*:\s*((?:\n?- )?[.\w[\]="{},:/ -]+)/g),
  ];
  if (owners.length === 0) return "somebody else set fields";
  return owners
    .map(
      ([, owner = "", field = ""]) =>
        `"${owner}" sets ${oneLine(field.replace(/^\n?- /, ""), 120)}`,
    )
    .join(", ");
}
