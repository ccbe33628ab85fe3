import type { Config } from "../config/schema.js";
import { SlipwayError, type Problem } from "../errors.js";
import { judge, type Champion } from "./gates.js";
import {
  readMetrics,
  readRegistered,
  readVersion,
  taggedDigest,
  type Version,
} from "./registry.js";
import { broken, found, type Known } from "./resolve.js";
import type { GateResult, PinnedModel, RegistryFacts } from "./types.js";

type ModelConfig = Config["model"];

/**
 * The version that the configuration means: by number, else by alias, else by legacy stage. It has to
 * be READY, of the run and digest that are configured, and as the gates want it.
 *
 * @param known What serves now, where the registry is, and the artifact's digest where its version names none.
 * @throws SlipwayError MODEL saying what is wrong and what to do.
 */
export function pin(
  model: ModelConfig,
  facts: RegistryFacts,
  known: Known & { readonly digest?: string | undefined; readonly warning?: string | undefined },
): PinnedModel {
  const { chosen, entry, metrics } = found(model, facts, known);
  const { version, how } = chosen;
  const gates = judge(model.gates, metrics, championOf(model, facts, known, version));
  const digest = taggedDigest(entry) ?? known.digest;
  const problems = [
    ...mismatches(model, entry, digest),
    ...gates.filter(({ ok }) => !ok).map(gateProblem),
  ];
  if (problems.length > 0)
    throw new SlipwayError(
      "MODEL",
      `Version ${version} of the model ${model.name} is not to be deployed${failedGates(gates)}.`,
      problems,
    );
  return {
    ...{ name: model.name, version, runId: entry.run_id },
    uri: `models:/${model.name}/${version}`,
    ...(digest !== undefined && { digest }),
    ...(chosen.alias !== undefined && { alias: chosen.alias }),
    ...(chosen.stage !== undefined && { stage: chosen.stage }),
    metrics: Object.fromEntries(Object.entries(metrics).filter(([, each]) => isFinite(each))),
    ...{ how, gates },
    warnings: [
      ...(how === "stage"
        ? [
            `${model.name} was found by the stage ${chosen.stage ?? ""}: MLflow gives stages up. Set an alias to version ${version} and name it as model.alias`,
          ]
        : []),
      ...(entry.run_id === "" ? [`version ${version} names no run: it has no metrics`] : []),
      ...(digest === undefined && known.warning !== undefined ? [known.warning] : []),
    ],
  };
}

/** What is known of the model without a registry; undefined when that is no version. */
export function configuredModel(model: ModelConfig): PinnedModel | undefined {
  const { enabled, name, version, run, digest } = model;
  if (!enabled || version === undefined) return undefined;
  return {
    ...{ name, version, runId: run ?? "", uri: `models:/${name}/${version}` },
    ...(digest !== undefined && { digest }),
    ...{ metrics: {}, how: "configured", gates: [] },
    warnings: [
      `no registry was asked whether version ${version} of ${name} is there: set model.tracking (MLFLOW_TRACKING_URI)`,
    ],
  };
}

function championOf(
  model: ModelConfig,
  facts: RegistryFacts,
  { live, tracking }: Known,
  version: string,
): Champion | "itself" | undefined {
  if (!model.gates.some(({ champion }) => champion)) return undefined;
  const registered = readRegistered(facts.registered);
  const aliases = registered.ok ? registered.value.aliases : [];
  const named = aliases.find(({ alias }) => alias === model.moveAlias)?.version;
  const champion = live ?? (named === undefined ? undefined : { name: model.name, version: named });
  if (champion === undefined) return undefined;
  const isOther = champion.name !== model.name;
  if (!isOther && champion.version === version) return "itself";
  const one = isOther ? facts.champion : facts.versions[champion.version];
  const entry = one && readVersion(one.version);
  const metrics = one?.run && readMetrics(one.run);
  const problem = [entry, metrics].find((each) => each && !each.ok && !each.missing);
  if (problem && !problem.ok)
    throw broken(
      `The champion, version ${champion.version} of ${champion.name}, cannot be looked up at ${tracking}`,
      problem.why,
    );
  return {
    version: champion.version,
    ...(isOther && { of: champion.name }),
    metrics: metrics?.ok ? metrics.value : {},
  };
}

function mismatches(
  model: ModelConfig,
  { run_id, version }: Version,
  digest: string | undefined,
): Problem[] {
  return [
    ...(model.run === undefined || model.run === run_id
      ? []
      : [
          {
            ...{ source: "model registry", key: "model.run" },
            message: `version ${version} is of the run ${run_id === "" ? "(none)" : run_id}, expected ${model.run}`,
          },
        ]),
    ...(model.digest === undefined || model.digest === digest
      ? []
      : [
          {
            ...{ source: "model registry", key: "model.digest" },
            message: `the artifact of version ${version} has ${digest ?? "no digest that can be known"}, expected ${model.digest}`,
          },
        ]),
  ];
}

function gateProblem({ metric, why }: GateResult): Problem {
  return { source: "model registry", key: `model.gates ${metric}`, message: why };
}

function failedGates(gates: readonly GateResult[]): string {
  const failed = gates.filter(({ ok }) => !ok).length;
  return failed === 0 ? "" : `: ${failed} of ${gates.length} gates do not hold`;
}
