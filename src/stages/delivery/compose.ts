import { modelAnnotations, modelEnvironment } from "../../core/model/describe.js";
import type { PinnedModel } from "../../core/model/types.js";
import {
  objectsOf,
  podsOf,
  portOf,
  type KubernetesObject,
  type ObjectInputs,
} from "../../core/delivery/objects/index.js";
import { renumbered } from "../../core/delivery/changes.js";
import type { Run } from "../../core/delivery/run.js";
import { takenOver } from "../../core/delivery/scaling.js";
import type { ReleaseRecord } from "../../core/delivery/types.js";
import type { Context } from "../context.js";
import type { Cluster } from "../kubectl.js";
import { renderManifests } from "./manifests.js";
import { serviceName } from "./open.js";

/** What a release is made of, beside the configuration. */
export interface Ingredients {
  /** The image, by digest. */
  readonly reference: string;
  readonly tag?: string | undefined;
  readonly commit?: string | undefined;
  readonly model?: PinnedModel | undefined;
  readonly verified: string;
  readonly by: string;
  /** Id of the run. */
  readonly run: string;
}

/**
 * A release, ready to be recorded and applied.
 *
 * @throws SlipwayError CONFIG when the project's manifests cannot be read or brought.
 */
export async function composeRelease(
  context: Context,
  cluster: Pick<Cluster, "namespace">,
  run: Pick<Run, "next" | "seen" | "live">,
  { reference, tag, commit, model, verified, by, run: id }: Ingredients,
): Promise<ReleaseRecord> {
  const { build, deploy } = context.config;
  const name = serviceName(context);
  const number = run.next;
  // Whoever asks by the Service's port goes on doing so, wherever the pods listen.
  const what = { reference, tag, commit, model, servicePort: run.live?.port };
  const made = await releaseObjects(context, cluster.namespace, number, what);
  const objects = takenOver(made, run.live, run.seen.stable?.replicas);
  return {
    ...{ schema: 1, service: name, namespace: cluster.namespace, number, kind: "deploy" },
    ...{ status: "pending", phase: "canary", reference, tag, commit, model, objects },
    port: portOf(objects, name) ?? build.port,
    replicas: podsOf(objects, name) ?? run.seen.stable?.replicas ?? deploy.replicas,
    config: deploy,
    ...{ verified, by, run: id, startedAt: new Date().toISOString(), steps: [], calls: 0 },
  };
}

/** What is applied for a release. */
async function releaseObjects(
  context: Context,
  namespace: string,
  number: number,
  {
    reference,
    tag,
    commit,
    model,
    servicePort,
  }: Omit<Ingredients, "verified" | "by" | "run"> & Pick<ObjectInputs, "servicePort">,
): Promise<KubernetesObject[]> {
  const { build, deploy } = context.config;
  return objectsOf({
    ...{ name: serviceName(context), namespace, image: reference, release: number },
    ...{
      port: build.port,
      servicePort,
      config: deploy,
      healthcheck: build.healthcheck,
      user: build.user,
    },
    annotations: {
      "slipway.dev/reference": reference,
      ...(tag !== undefined && { "slipway.dev/tag": tag }),
      ...(commit !== undefined && { "slipway.dev/commit": commit }),
      ...(model && modelAnnotations(model)),
    },
    environment: model ? modelEnvironment(model) : {},
    own: await renderManifests(context),
  });
}

/** A recorded release once more, under a number of its own. */
export function composeRollback(
  run: Run,
  target: ReleaseRecord,
  { verified, by, run: id }: Pick<Ingredients, "verified" | "by" | "run">,
): ReleaseRecord {
  const number = run.next;
  return {
    ...target,
    ...{ waitingAt: undefined, finishedAt: undefined, generation: undefined, why: undefined },
    ...{ number, kind: "rollback", of: target.number, status: "pending", phase: "replacing" },
    objects: renumbered(target.objects, number),
    ...{ verified, by, run: id, startedAt: new Date().toISOString(), steps: [], calls: 0 },
  };
}
