import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What a project deploys, and how. */
export interface Project {
  readonly name: string;
  readonly namespace: string;
  /** @default 2 */
  readonly replicas?: number;
  /** Weights of the canary's steps. */
  readonly steps: readonly number[];
  /** Seconds that old pods are kept, and drained. */
  readonly keep: number;
  readonly drain: number;
  /** Seconds of one analysis. */
  readonly analysis: { readonly warmup: number; readonly duration: number };
}

export const FLOWER = {
  ...{ sepal_length: 6.1, sepal_width: 2.9 },
  ...{ petal_length: 4.7, petal_width: 1.4 },
};

/** Host name under which a project's service is asked through the gateway. */
export const hostOf = ({ name, namespace }: Pick<Project, "name" | "namespace">): string =>
  `${name}.${namespace}.test`;

/** Writes into a folder what Slipway asks of a project that is deployed. */
export async function writeProject(folder: string, project: Project): Promise<void> {
  const { name, namespace, replicas = 2, keep, drain, analysis } = project;
  const steps = project.steps.map((weight) => `{ weight = ${weight} }`).join(", ");
  const requests = Array.from({ length: 30 }, (_, index) => ({
    ...{ method: "POST", path: "/predict" },
    body: { instances: [{ ...FLOWER, sepal_length: 5 + index / 10 }] },
  }));
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "pyproject.toml"),
    `[project]
name = "${name}"
version = "1.0.0"
requires-python = ">=3.11"

[tool.slipway.deploy]
namespace = "${namespace}"
replicas = ${replicas}
keep = ${keep}
drain = ${drain}
steps = [${steps}]

[tool.slipway.deploy.resources]
cpu = "10m"
memory = "32Mi"

[tool.slipway.deploy.route]
gateway = "projectcontour/contour"
hostnames = ["${hostOf(project)}"]

[tool.slipway.analysis]
requests = "requests.jsonl"
warmup = ${analysis.warmup}
duration = ${analysis.duration}

[tool.slipway.verify]
predicates = []
`,
  );
  const lines = requests.map((each) => `${JSON.stringify(each)}\n`);
  await writeFile(join(folder, "requests.jsonl"), lines.join(""));
}
