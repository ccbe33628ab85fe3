import { dag, func, object, type Directory } from "@dagger.io/dagger";

import type { PredicateName } from "./core/attestations/names.js";
import { evidenceMarkdown, rulesTable } from "./core/evidence.js";
import { allWell } from "./core/policy.js";
import { atDigest, type Verified } from "./stages/verify.js";

/** Whether an image proves what the policy asks for, rule by rule. */
@object()
export class VerifyReport {
  /** Whether every rule holds; what is missing or unreadable does not */
  @func()
  passed = false;

  /** The image by its digest; as it was asked for when it has no good signature */
  @func()
  reference = "";

  /** A table for a terminal */
  @func()
  table = "";

  /** The same for GitHub's step summary, with the commands to verify it by hand */
  @func()
  markdown = "";

  /** The rules as JSON: each with rule, ok and what was found */
  @func()
  json = "";

  /** evidence.json, summary.md, and each verified statement as statements/NAME-N.json */
  @func()
  evidence!: Directory;

  /** Fails, naming the rules that do not hold; passes when all do */
  @func()
  assert(): void {
    if (!this.passed) throw new Error(this.table);
  }
}

/** The object that the module's callers see. */
export function verifyReport(asked: string, { rules, evidence, verifier }: Verified): VerifyReport {
  const reference =
    evidence.digest === undefined
      ? asked
      : atDigest({ reference: asked }, evidence.digest).reference;
  const found = Object.entries(evidence.statements).filter(([, each]) => each.length > 0);
  const [provenance] = evidence.statements.provenance ?? [];
  const run = provenance?.predicate as { runDetails?: { builder?: { id?: unknown } } } | undefined;
  const builder = run?.runDetails?.builder?.id;
  const markdown = evidenceMarkdown({
    reference,
    rules,
    verifier,
    predicates: found.map(([name]) => name as PredicateName),
    builder: typeof builder === "string" ? builder : "",
  });
  const json = JSON.stringify({ reference, verified: allWell(rules), rules });
  let files = dag
    .directory()
    .withNewFile("evidence.json", `${json}\n`)
    .withNewFile("summary.md", markdown);
  for (const [name, statements] of found)
    for (const [index, statement] of statements.entries())
      files = files.withNewFile(`statements/${name}-${index + 1}.json`, JSON.stringify(statement));
  return Object.assign(new VerifyReport(), {
    passed: allWell(rules),
    reference,
    table: rulesTable(rules),
    markdown,
    json,
    evidence: files,
  });
}
