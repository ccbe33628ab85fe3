import { dag } from "@dagger.io/dagger";

import {
  PREDICATE_NAMES,
  PREDICATE_TYPES,
  type PredicateName,
} from "../core/attestations/names.js";
import {
  readStatements,
  sameStatement,
  signedDigest,
  type Statement,
} from "../core/attestations/statement.js";
import { SlipwayError } from "../core/errors.js";
import { isFresh } from "../core/scan/freshness.js";
import { lastLines } from "../core/text.js";
import { readJson } from "../core/verdicts/verdict.js";
import type { Verifier } from "../core/verifier.js";
import { PREDICATES, signing, verifying, type Answer, type Signer, type Target } from "./cosign.js";
import type { Context } from "./context.js";

/** Something that is said of an image, by what it is. */
export type Predicate = readonly [name: PredicateName, predicate: unknown];

/** What `--type` is called in cosign, which checks the form of those it knows. */
const TYPES: Readonly<Record<PredicateName, string>> = {
  ...PREDICATE_TYPES,
  provenance: "slsaprovenance1",
  sbom: "cyclonedx",
  vulnerabilities: "vuln",
};

/** What somebody has said of an image. */
export interface Known {
  /** How `cosign verify --output=json` ended. */
  readonly signature: Answer;
  readonly statements: Readonly<Partial<Record<PredicateName, Statement[]>>>;
}

/**
 * Asks for somebody's signature and statements of these kinds, all at once.
 *
 * @param order `after first` where there is likely nothing: what has neither a signature nor a
 *   statement, as a new image, is asked about once and not for each of them.
 */
export async function knownOf(
  context: Context,
  verifier: Verifier,
  target: Target,
  names: readonly PredicateName[],
  order: "at once" | "after first" = "at once",
): Promise<Known> {
  const commands = [
    ["verify", "--output=json"],
    ...names.map((name) => ["verify-attestation", `--type=${TYPES[name]}`]),
  ];
  const answered = await verifying(context, verifier, target, commands, order);
  const [signature = NOTHING, ...answers] = answered;
  const statements = names.map((name, index): [PredicateName, Statement[]] => {
    const { exitCode, stdout } = answers[index] ?? NOTHING;
    return [name, exitCode === 0 ? readStatements(stdout) : []];
  });
  return { signature, statements: Object.fromEntries(statements) };
}

/** How it ends when nothing was run. */
const NOTHING: Answer = { exitCode: 1, stdout: "", stderr: "" };

/** What is to be said of an image. */
interface Sayings {
  readonly signed: boolean;
  readonly predicates: readonly Predicate[];
}

/**
 * Signs an image by its digest and attests what is known of it, but for what this signer has signed
 * and attested already.
 *
 * @param known What it has signed and attested, where that was looked up before.
 * @returns the names of what was added; `signature` is one of them.
 * @throws SlipwayError USAGE for a reference without a digest, RELEASE when cosign fails.
 */
export async function sign(
  context: Context,
  signer: Signer,
  target: Target,
  { signed, predicates }: Sayings,
  known?: Known,
): Promise<string[]> {
  requireDigest(target);
  const names = [...new Set(predicates.map(([name]) => name))];
  const { signature, statements } =
    known ?? (await knownOf(context, signer.verifier, target, names));
  const { exitCode, stdout } = signature;
  const isSigned = exitCode === 0 && signedDigest(stdout) !== undefined;
  const { age } = context.config.verify;
  const counts = (name: PredicateName, each: Statement): boolean =>
    name !== "vulnerabilities" || isFresh(each.predicate, age, new Date());
  const missing = predicates.filter(
    ([name, predicate]) =>
      !statements[name]?.some(
        (each) => counts(name, each) && sameStatement(each.predicate, predicate),
      ),
  );
  const added = [
    ...(signed && !isSigned ? ["signature"] : []),
    ...missing.map(([name]): string => name),
  ];
  if (added.length === 0) return added;
  const files = missing.reduce(
    (each, [, predicate], index) => each.withNewFile(`${index}.json`, JSON.stringify(predicate)),
    dag.directory(),
  );
  const commands = missing.map(([name], index) => ({
    command: ["attest", `--type=${TYPES[name]}`, `--predicate=${PREDICATES}/${index}.json`],
    unwritten: "--no-upload",
  }));
  const answers = await signing(
    context,
    signer,
    target,
    signed && !isSigned
      ? [{ command: ["sign"], unwritten: "--upload=false" }, ...commands]
      : commands,
    files,
  );
  const failure = answers.findIndex((answer) => answer.exitCode !== 0);
  if (failure >= 0) throw failed(added[failure] ?? "", target, answers[failure]?.stderr ?? "");
  return added;
}

/**
 * A predicate that a caller brings.
 *
 * @throws SlipwayError USAGE when the name is none of Slipway's, or the text is no JSON object.
 */
export function readPredicate(name: string, text: string | undefined): Predicate {
  const known = PREDICATE_NAMES.find((each) => each === name);
  if (known === undefined)
    throw new SlipwayError(
      "USAGE",
      `"${name}" is nothing that is attested here; --name takes ${PREDICATE_NAMES.join(", ")}.`,
    );
  const value = readJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SlipwayError(
      "USAGE",
      "The predicate (--predicate) has to be a file with a JSON object.",
    );
  return [known, value];
}

/** A tag can be moved between two steps; a digest cannot. */
function requireDigest({ reference }: Target): void {
  if (/@sha256:[0-9a-f]{64}$/.test(reference)) return;
  throw new SlipwayError(
    "USAGE",
    `"${reference}" has no digest: sign and attest registry/repository@sha256:…, which nobody can move.`,
  );
}

function failed(name: string, { reference }: Target, stderr: string): SlipwayError {
  const what = name === "signature" ? "signed" : `attested (${name})`;
  return new SlipwayError(
    "RELEASE",
    `${reference} was not ${what}: ${lastLines(stderr, 2)}. Run it again: what is done is not done twice.`,
  );
}
