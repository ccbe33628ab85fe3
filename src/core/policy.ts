import type * as z from "zod";
import { statementsAbout, type Statements } from "./attestations/about.js";
import type { PredicateName } from "./attestations/names.js";
import {
  modelOf,
  modelSchema,
  modelText,
  platformOf,
  sbomSchema,
  testsSchema,
  vulnerabilitiesSchema,
  type Model,
} from "./attestations/predicates.js";
import type { Statement } from "./attestations/statement.js";
import type { Config } from "./config/schema.js";
import { readOrigin } from "./origin.js";
import { oneLine, plural } from "./text.js";
import { isWanted } from "./verifier.js";

const HOUR = 3_600_000;

/** One line of the answer. */
export interface Rule {
  readonly rule: string;
  readonly ok: boolean;
  /** What was found, or what is wrong. */
  readonly found: string;
}

/** What is known of an image when its evidence was looked up. */
export interface Evidence {
  /** The digest that carries the signature; undefined when there is no good one. */
  readonly digest: string | undefined;
  /** Why there is none. */
  readonly complaint: string;
  readonly statements: Statements;
}

export interface PolicyOptions {
  readonly policy: Config["verify"];
  /** The model that the service has to load. */
  readonly model: Config["model"];
  readonly now: Date;
}

/**
 * Whether an image proves what the policy asks for, rule by rule. Fail-closed: what is missing,
 * unreadable or unknown is not all right, and without a signature nothing is.
 */
export function decide(evidence: Evidence, options: PolicyOptions): Rule[] {
  const { digest, complaint } = evidence;
  if (digest === undefined)
    return [{ rule: "signature", ok: false, found: oneLine(complaint || "there is none") }];
  return [
    { rule: "signature", ok: true, found: digest },
    ...options.policy.predicates.flatMap((name) => judge(name, digest, evidence, options)),
  ];
}

/** Whether all is well; no rule at all is not. */
export function allWell(rules: readonly Rule[]): boolean {
  return rules.length > 0 && rules.every(({ ok }) => ok);
}

function judge(
  name: PredicateName,
  digest: string,
  { statements }: Evidence,
  options: PolicyOptions,
): Rule[] {
  const about = statementsAbout(digest, name, statements);
  if (about.length === 0)
    return [{ rule: name, ok: false, found: "no attestation of it with a good signature" }];
  const platforms =
    name === "sbom" ? platformsOf(statementsAbout(digest, "provenance", statements)) : [];
  if (platforms.length > 1) return [bills(about, platforms)];
  const answers = (name === "vulnerabilities" ? latest(about) : about)
    // One that is all right is enough: a later release of the same content may have said more.
    .map(({ predicate }) => JUDGES[name](predicate, options));
  return answers.find(allWell) ?? answers.at(-1) ?? [];
}

/** What the provenance of an image says that it was built for. */
function platformsOf(provenances: readonly Statement[]): string[] {
  const found = provenances.flatMap(({ predicate }) => {
    const read = readOrigin(predicate);
    return read.success ? read.data.platforms : [];
  });
  return [...new Set(found)];
}

/** An image for several platforms is described when each of them is. */
function bills(statements: readonly Statement[], platforms: readonly string[]): Rule {
  const read = statements.flatMap(({ predicate }) => sbomSchema.safeParse(predicate).data ?? []);
  const found = platforms.map((platform) => {
    const bill = read.find((each) => platformOf(each) === platform);
    return { platform, told: bill && plural(bill.components.length, "component") };
  });
  const missing = found.filter(({ told }) => told === undefined).map(({ platform }) => platform);
  return {
    rule: "sbom",
    ok: missing.length === 0,
    found: oneLine(
      missing.length > 0
        ? `there is none of ${missing.join(", ")}`
        : found.map(({ platform, told = "" }) => `${platform}: ${told}`).join(", "),
    ),
  };
}

/** The last scan counts, whatever an earlier one said; one that cannot be read counts as the last. */
function latest(scans: readonly Statement[]): Statement[] {
  const finished = ({ predicate }: Statement): number => {
    const read = vulnerabilitiesSchema.safeParse(predicate);
    const at = read.success ? Date.parse(read.data.metadata.scanFinishedOn) : NaN;
    return Number.isNaN(at) ? Infinity : at;
  };
  return [...scans].sort((a, b) => finished(b) - finished(a)).slice(0, 1);
}

type Judge = (predicate: unknown, options: PolicyOptions) => Rule[];

const JUDGES: Readonly<Record<PredicateName, Judge>> = {
  provenance: (predicate, { policy }) => {
    const read = readOrigin(predicate);
    if (!read.success) return [unreadable("provenance", read.error)];
    const { builder, repository, dependencies } = read.data;
    return [
      {
        rule: "provenance",
        ok: true,
        found: `${plural(dependencies, "dependency", "dependencies")} by digest`,
      },
      matching("builder", builder, policy.builder),
      ...(policy.source === undefined
        ? []
        : [equal("source", repository === "" ? "none" : repository, policy.source)]),
    ];
  },
  sbom: (predicate) => {
    const read = sbomSchema.safeParse(predicate);
    if (!read.success) return [unreadable("sbom", read.error)];
    const { specVersion, components } = read.data;
    const found = `CycloneDX ${specVersion}, ${plural(components.length, "component")}`;
    return [{ rule: "sbom", ok: true, found }];
  },
  vulnerabilities: (predicate, { policy, now }) => {
    const read = vulnerabilitiesSchema.safeParse(predicate);
    if (!read.success) return [unreadable("vulnerabilities", read.error)];
    const { result } = read.data.scanner;
    const open = result.findings.filter(
      ({ status, severity }) =>
        status === "blocks" || (status !== "ignored" && severity === "CRITICAL"),
    );
    const age = (now.getTime() - Date.parse(read.data.metadata.scanFinishedOn)) / HOUR;
    return [
      {
        rule: "vulnerabilities",
        ok: result.state === "PASSED" && open.length === 0,
        found:
          open.length === 0
            ? `${result.state.toLowerCase()}, ${plural(result.findings.length, "finding")}, none that stops it`
            : `${result.state.toLowerCase()}: ${open
                .slice(0, 5)
                .map(({ id }) => oneLine(id, 40))
                .join(", ")}`,
      },
      {
        rule: "scan age",
        ok: age >= -1 && age <= policy.age,
        found: `${age.toFixed(1)} h, at most ${policy.age}`,
      },
    ];
  },
  tests: (predicate) => {
    const read = testsSchema.safeParse(predicate);
    if (!read.success) return [unreadable("tests", read.error)];
    const { result, passedTests = [], failedTests = [] } = read.data;
    const ok = result === "PASSED" && failedTests.length === 0 && passedTests.length > 0;
    const names = ok ? passedTests : failedTests;
    return [{ rule: "tests", ok, found: oneLine(`${result.toLowerCase()}: ${names.join(", ")}`) }];
  },
  model: (predicate, { model }) => {
    const read = modelSchema.safeParse(predicate);
    if (!read.success) return [unreadable("model", read.error)];
    const found = modelText(read.data);
    const wanted = modelOf(model);
    if (!wanted) return [equal("model", found, "none (model.enabled)")];
    // What the configuration leaves open (version, run, digest) the image may fill in.
    const ok = Object.entries(wanted).every(
      ([key, value]) => JSON.stringify(read.data[key as keyof Model]) === JSON.stringify(value),
    );
    const expected = ok ? "" : `, expected ${modelText(wanted)}`;
    return [{ rule: "model", ok, found: oneLine(`${found}${expected}`) }];
  },
};

function equal(rule: string, found: string, wanted: string): Rule {
  const ok = found === wanted;
  return { rule, ok, found: oneLine(ok ? found : `${found}, expected ${wanted}`) };
}

/** As `equal`; what is wanted may be a pattern. */
function matching(rule: string, found: string, wanted: string): Rule {
  return isWanted(found, wanted) ? equal(rule, found, found) : equal(rule, found, wanted);
}

function unreadable(rule: string, error: z.ZodError): Rule {
  const [issue] = error.issues;
  const place = issue?.path.join(".") ?? "";
  return {
    rule,
    ok: false,
    found: oneLine(
      `not as it has to be: ${place === "" ? "" : `${place}: `}${issue?.message ?? ""}`,
    ),
  };
}
