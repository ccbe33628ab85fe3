import * as z from "zod";
import { BUILDER, PREDICATE_TYPES, type PredicateName } from "../attestations/names.js";
import { sha256 } from "../attestations/predicates.js";
import { verifyCommands } from "../evidence.js";
import type { Rule } from "../policy.js";
import type { ScanResult } from "../scan/verdict.js";
import type { Verifier } from "../verifier.js";
import type { Sections } from "./sections.js";

/** What a release knows of the image beside the checks of its source. */
export interface Released {
  /** By digest. */
  readonly reference: string;
  /** How the signatures were recognized. */
  readonly verifier: Verifier;
  /** The KMS that the key is in; absent for one that is not. */
  readonly keyReference?: string | undefined;
  readonly scan: ScanResult;
  /** CycloneDX, as JSON. */
  readonly sbom: string;
  readonly rules: readonly Rule[];
  /** What was found attested. */
  readonly predicates: readonly PredicateName[];
}

const text = z.string();

const bill = z.object({
  specVersion: text,
  components: z.array(
    z.object({
      name: text,
      version: z.optional(text),
      purl: z.optional(text),
      licenses: z.optional(
        z.array(
          z.object({
            expression: z.optional(text),
            license: z.optional(z.object({ id: z.optional(text), name: z.optional(text) })),
          }),
        ),
      ),
      hashes: z.optional(z.array(z.object({ alg: text, content: text }))),
    }),
  ),
});

/** The parts of report.json that a release adds to the checks. */
export function releaseSections(released: Released): Sections {
  const { reference, verifier, rules, predicates } = released;
  // Copied: a report is data of its own.
  const { state, reason, scanner, packages, findings } = structuredClone(released.scan);
  return {
    scan: {
      state,
      ...(reason === undefined ? {} : { reason }),
      scanner,
      packages,
      findings: findings.map(({ platforms, ...each }) => ({
        ...each,
        aliases: [...each.aliases],
        ...(platforms && { platforms: [...platforms] }),
      })),
    },
    sbom: packagesOf(released.sbom),
    evidence: {
      reference,
      digest: reference.slice(reference.indexOf("@") + 1),
      signer: signerOf(released),
      builder: BUILDER,
      slsaLevel: 1,
      predicates: predicates.map((name) => ({ name, type: PREDICATE_TYPES[name] })),
      rules: rules.map(({ rule, ok, found }) => ({ rule, passed: ok, detail: found })),
      commands: verifyCommands(reference, predicates, verifier).map((command, index) => ({
        title: index === 0 ? "signature" : (predicates[index - 1] ?? ""),
        command,
      })),
    },
  };
}

function signerOf({
  verifier,
  keyReference,
}: Released): NonNullable<Sections["evidence"]>["signer"] {
  if (verifier.kind === "identity")
    return { kind: "keyless", identity: verifier.identity, issuer: verifier.issuer };
  if (keyReference !== undefined) return { kind: "kms", identity: keyReference };
  return { kind: "key", identity: `sha256:${fingerprint(verifier.publicKey)}` };
}

/** SHA-256 of the key itself, whatever lines its text has. */
function fingerprint(pem: string): string {
  return sha256(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64"));
}

function packagesOf(sbom: string): NonNullable<Sections["sbom"]> {
  const { specVersion, components } = bill.parse(JSON.parse(sbom));
  return {
    format: `CycloneDX ${specVersion}`,
    packages: components
      // The operating system itself, and files, have no package URL.
      .filter(({ purl }) => purl !== undefined)
      .map(({ name, version = "", purl = "", licenses = [], hashes = [] }) => {
        const [hash] = hashes;
        return {
          name,
          version,
          type: /^pkg:([^/]+)\//.exec(purl)?.[1] ?? "",
          licenses: licenses.flatMap(
            ({ expression, license }) => expression ?? license?.id ?? license?.name ?? [],
          ),
          purl,
          ...(hash && { digest: `${hash.alg.toLowerCase()}:${hash.content}` }),
        };
      }),
  };
}
