import { ensureSuite, ensureTool, type SuiteName, type ToolName } from "../tools.js";

const TOOLS = ["contour", "coredns", "envoy", "etcd", "kubectl"] as const satisfies ToolName[];
const SUITES = ["cni", "containerd", "kubernetes"] as const satisfies SuiteName[];

/** Paths of programs, and of the folders of those that come together. */
export type Programs = Record<(typeof TOOLS)[number] | (typeof SUITES)[number], string>;

/** Builds or unpacks what is missing of a cluster's programs: half an hour once, nothing then. */
export async function ensurePrograms(report: (line: string) => void): Promise<Programs> {
  const paths: [string, string][] = [];
  // One after another: each build uses all of the processor by itself.
  for (const name of SUITES) paths.push([name, await ensureSuite(name, report)]);
  for (const name of TOOLS) paths.push([name, await ensureTool(name, report)]);
  return Object.fromEntries(paths) as Programs;
}
