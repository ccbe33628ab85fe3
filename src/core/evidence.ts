import { BUILDER, PREDICATE_TYPES, type PredicateName } from "./attestations/names.js";
import { allWell, type Rule } from "./policy.js";
import { escape } from "./report/markdown.js";
import { columns } from "./text.js";
import { verifierFlags, type Verifier } from "./verifier.js";

/** The answer of a verification for a terminal: a rule a line, and one line in the end. */
export function rulesTable(rules: readonly Rule[]): string {
  const width = Math.max(0, ...rules.map(({ rule }) => columns(rule)));
  const rows = rules.map(
    ({ rule, ok, found }) =>
      `${rule}${" ".repeat(width - columns(rule))}  ${ok ? "ok    " : "FAILED"}  ${found}`,
  );
  const failed = rules.filter(({ ok }) => !ok).map(({ rule }) => rule);
  const end = allWell(rules) ? "VERIFIED" : `NOT VERIFIED: ${failed.join(", ") || "no rule"}`;
  return [...rows, "", end, ""].join("\n");
}

/** The lines with which anybody verifies an image by hand, with cosign alone. */
export function verifyCommands(
  reference: string,
  names: readonly PredicateName[],
  verifier: Verifier,
): string[] {
  const root = verifier.kind === "identity" ? verifier.root?.path : undefined;
  const flags = verifierFlags(verifier, { key: "cosign.pub", root: root ?? "" })
    // As people write them; a truth value has to stand behind its sign.
    .map((flag) => (flag.endsWith("=true") ? flag : quoted(flag)))
    .join(" ");
  const types: Partial<Record<PredicateName, string>> = {
    provenance: "slsaprovenance1",
    sbom: "cyclonedx",
    vulnerabilities: "vuln",
  };
  return [
    `cosign verify ${flags} ${reference}`,
    ...names.map(
      (name) =>
        `cosign verify-attestation --type ${types[name] ?? PREDICATE_TYPES[name]} ${flags} ${reference}`,
    ),
  ];
}

/** `--name=value` as two words of a shell. */
function quoted(flag: string): string {
  const at = flag.indexOf("=");
  const value = flag.slice(at + 1);
  const safe = /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
  return `${flag.slice(0, at)} ${safe}`;
}

/** What is shown of an image's evidence. */
export interface Shown {
  /** By digest. */
  readonly reference: string;
  readonly rules: readonly Rule[];
  /** Whose signature was looked for. */
  readonly verifier: Verifier;
  /** What was found attested. */
  readonly predicates: readonly PredicateName[];
  /** `builder.id` of the provenance; empty when there is none. */
  readonly builder: string;
}

/** The evidence of an image for GitHub's step summary. */
export function evidenceMarkdown({
  reference,
  rules,
  verifier,
  predicates,
  builder,
}: Shown): string {
  const well = allWell(rules);
  const level =
    builder === BUILDER
      ? "1: signed inside of the job that built it, with a key or an identity that the job holds"
      : builder === ""
        ? "none: there is no provenance"
        : "as its builder says";
  return [
    `## ${well ? "✅" : "❌"} Evidence of ${escape(reference)}`,
    "",
    "| rule | | found |",
    "| --- | --- | --- |",
    ...rules.map(
      ({ rule, ok, found }) => `| ${escape(rule)} | ${ok ? "✅" : "❌"} | ${escape(found)} |`,
    ),
    "",
    `SLSA build level ${level}. Builder: ${builder === "" ? "unknown" : escape(builder)}.`,
    "",
    `Anybody${verifier.kind === "key" ? " with the public key" : ""} verifies it with cosign alone:`,
    "",
    "```sh",
    ...verifyCommands(reference, predicates, verifier),
    "```",
    "",
  ].join("\n");
}
