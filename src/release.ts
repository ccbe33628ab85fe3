import { func, object, type Directory } from "@dagger.io/dagger";

import type { Released } from "./stages/release.js";
import { verifyReport } from "./verifyReport.js";

/** An image that was checked, scanned, signed, attested and verified before it got its tags. */
@object()
export class Release {
  /** By digest, for whoever deploys it: registry/repository@sha256:… */
  @func()
  reference = "";

  /** The image's digest: sha256:… */
  @func()
  digest = "";

  /** All its tags, as full references; each gives this digest */
  @func()
  tags: string[] = [];

  /** What was verified, a rule a line */
  @func()
  table = "";

  /** The evidence for GitHub's step summary, with the commands to verify it by hand */
  @func()
  markdown = "";

  /** The same as JSON: reference, digest, tags, and the rules with what was found */
  @func()
  json = "";

  /** Reports of the checks and the scan, the bill of materials, and the evidence in a folder of that name */
  @func()
  reports!: Directory;

  /** evidence.json, summary.md, and each verified statement */
  @func()
  evidence!: Directory;
}

/** The object that the module's callers see. */
export function releaseObject({ published, verified, reports }: Released): Release {
  const { table, markdown, evidence } = verifyReport(published.reference, verified);
  const { rules } = verified;
  return Object.assign(new Release(), {
    ...published,
    ...{ table, markdown, evidence },
    json: JSON.stringify({ ...published, verified: true, rules }),
    reports: reports.withDirectory("evidence", evidence),
  });
}
