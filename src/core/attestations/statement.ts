import * as z from "zod";

const envelope = z.object({
  payloadType: z.literal("application/vnd.in-toto+json"),
  payload: z.string(),
});

const statement = z.object({
  _type: z.string().regex(/^https:\/\/in-toto\.io\/Statement\/v(0\.1|1)$/),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })).min(1),
  predicateType: z.string(),
  predicate: z.unknown(),
});

/** What somebody said of an image, after the signature was found good. */
export type Statement = z.infer<typeof statement>;

/**
 * The statements that `cosign verify-attestation` printed, one envelope a line. A line that is no
 * statement is left out: it then counts as missing.
 */
export function readStatements(stdout: string): Statement[] {
  return stdout.split("\n").flatMap((line) => {
    try {
      const { payload } = envelope.parse(JSON.parse(line));
      const text = Buffer.from(payload, "base64").toString("utf8");
      return [statement.parse(JSON.parse(text))];
    } catch {
      return [];
    }
  });
}

const verified = z.array(
  z.object({
    critical: z.object({
      image: z.object({ "docker-manifest-digest": z.string() }),
      type: z.string(),
    }),
  }),
);

/**
 * What a signature's entry is called, of cosign 3 and of those before, with which many images were
 * signed; entries of attestations have their predicate type there.
 */
const SIGNATURES = ["https://sigstore.dev/cosign/sign/v1", "cosign container image signature"];

/**
 * The digest that has a signature, from what `cosign verify --output json` printed; undefined when
 * there is none. cosign 3 also lists attestations there, and exits with 0 for an image that has
 * those alone: an attestation is not taken for a signature.
 */
export function signedDigest(stdout: string): string | undefined {
  try {
    const entries = verified.parse(JSON.parse(stdout));
    return entries.find(({ critical }) => SIGNATURES.includes(critical.type))?.critical.image[
      "docker-manifest-digest"
    ];
  } catch {
    return undefined;
  }
}

/** Keys whose values differ between two runs that say the same. */
const TIMES = ["invocationId", "startedOn", "finishedOn", "scanStartedOn", "scanFinishedOn"];
const RUNS = [...TIMES, "serialNumber", "timestamp", "startedAt", "finishedAt", "event_id"];

/** Whether two predicates say the same but for when: then a second signature would add nothing. */
export function sameStatement(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (RUNS.includes(key)) return undefined;
    if (item === null || typeof item !== "object" || Array.isArray(item)) return item;
    const sorted = Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted);
  });
}
