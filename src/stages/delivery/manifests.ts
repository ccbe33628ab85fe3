import type { KubernetesObject } from "../../core/delivery/objects/index.js";
import { readRendered } from "../../core/delivery/rendered.js";
import { SlipwayError } from "../../core/errors.js";
import { lastLines } from "../../core/text.js";
import type { Context } from "../context.js";
import { runTool } from "../execution.js";
import { withProgram } from "../programs.js";

const SOURCE = "/source";

/** Seconds for reading manifests; nothing is fetched for it. */
const LIMIT = 60;

/** Makes kubectl print objects as JSON without asking a cluster; the label is Slipway's anyway. */
const AS_JSON =
  'kubectl label --local --overwrite --output=json "$@" app.kubernetes.io/managed-by=slipway';

/**
 * The objects of the project's manifests (`deploy.manifests`) or kustomization, as kubectl reads them;
 * none when the project has neither.
 *
 * @throws SlipwayError CONFIG with kubectl's own words when it cannot read them.
 */
export async function renderManifests(context: Context): Promise<KubernetesObject[]> {
  const { manifests, kustomization } = context.config.deploy;
  if (kustomization === undefined && manifests.length === 0) return [];
  if (kustomization !== undefined && manifests.length > 0)
    throw new SlipwayError(
      "CONFIG",
      "Both deploy.manifests and deploy.kustomization are set, and only one can be what is deployed.",
    );
  const script =
    kustomization === undefined
      ? `${AS_JSON} --recursive`
      : `set -e; kubectl kustomize "$1" > /tmp/objects.yaml; set -- --filename=/tmp/objects.yaml; ${AS_JSON}`;
  const args =
    kustomization === undefined
      ? manifests.map((path) => `--filename=${SOURCE}/${path}`)
      : [`${SOURCE}/${kustomization}`];
  const container = withProgram(context, "kubectl").withMountedDirectory(SOURCE, context.source);
  const { run } = await runTool(context, container, ["sh", "-c", script, "sh", ...args], {
    timeout: LIMIT,
    version: "",
  });
  if (run.exitCode === 0) return readRendered(run.stdout);
  const key = kustomization === undefined ? "deploy.manifests" : "deploy.kustomization";
  throw new SlipwayError(
    "CONFIG",
    `kubectl cannot read ${key}; nothing was changed in the cluster.\n${lastLines(run.stderr)}`,
  );
}
