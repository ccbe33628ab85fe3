import { SlipwayError } from "../../errors.js";
import { GRACE } from "./deployment.js";
import { DEFAULT_CONTAINER, labelsOf, MANAGED_BY, TRACK, withMetadata } from "./labels.js";
import { examine, type Found } from "./refusals.js";
import type { ContainerSpec, DeploymentSpec } from "./shape.js";
import type { KubernetesObject, ObjectInputs } from "./types.js";
import { isServiceWorkload, isServiceOf, serviceFor } from "./weights.js";

/**
 * The project's own manifests as a release: the image by digest, the labels by which tracks are told
 * apart, variables, and a drain where there is none. All else stays as the project has it.
 *
 * @throws SlipwayError CONFIG with everything that stands in the way of a canary.
 */
export function adopt(own: readonly KubernetesObject[], inputs: ObjectInputs): KubernetesObject[] {
  const { found, problems } = examine(own, inputs);
  if (!found || problems.length > 0)
    throw new SlipwayError(
      "CONFIG",
      `The project's manifests cannot be deployed as a canary; nothing was changed in the cluster.`,
      problems,
    );
  return own.map((object) => {
    const ours = withMetadata(object, {
      namespace: inputs.namespace,
      labels: { [MANAGED_BY]: "slipway" },
    });
    if (isServiceWorkload(object, inputs.name)) return adoptDeployment(ours, found, inputs);
    if (!isServiceOf(object, inputs.name)) return ours;
    return serviceFor(
      withMetadata(ours, { labels: labelsOf(inputs.name, inputs.release, "stable") }),
      0,
    );
  });
}

function adoptDeployment(
  object: KubernetesObject,
  { deployment, container, isScaled }: Found,
  inputs: ObjectInputs,
): KubernetesObject {
  const { name, release, config } = inputs;
  const labels = labelsOf(name, release, "stable");
  const { template, replicas = config.replicas, ...spec } = deployment;
  const { containers, ...pod } = template.spec;
  const annotations = { ...inputs.annotations, [DEFAULT_CONTAINER]: container };
  const isOurs = (each: ContainerSpec): boolean => each.name === container;
  const drains = containers.some((each) => isOurs(each) && each.lifecycle?.preStop !== undefined);
  return {
    ...withMetadata(object, { labels, annotations: inputs.annotations }),
    spec: {
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" } },
      progressDeadlineSeconds: config.deadline,
      ...spec,
      // An autoscaler has the number of pods: it is not written twice.
      ...(!isScaled && { replicas }),
      selector: {
        ...spec.selector,
        matchLabels: { ...spec.selector.matchLabels, [TRACK]: "stable" },
      },
      template: {
        ...template,
        metadata: {
          ...template.metadata,
          labels: { ...template.metadata.labels, ...labels },
          annotations: { ...template.metadata.annotations, ...annotations },
        },
        spec: {
          ...pod,
          ...pullSecrets(pod.imagePullSecrets ?? [], config.pullSecret),
          terminationGracePeriodSeconds: grace(
            pod.terminationGracePeriodSeconds,
            drains,
            config.drain,
          ),
          containers: containers.map((each) =>
            isOurs(each) ? adoptContainer(each, inputs) : each,
          ),
        },
      },
    },
  };
}

function adoptContainer(
  container: ContainerSpec,
  { image, config, environment }: ObjectInputs,
): ContainerSpec {
  const variables = { ...config.environment, ...environment };
  const kept = (container.env ?? []).filter(({ name }) => !(name in variables));
  const env = [...kept, ...Object.entries(variables).map(([name, value]) => ({ name, value }))];
  const from = container.envFrom ?? [];
  const secrets = config.secrets.filter((name) =>
    from.every((one) => one.secretRef?.name !== name),
  );
  const envFrom = [...from, ...secrets.map((name) => ({ secretRef: { name } }))];
  return {
    ...container,
    image,
    ...(env.length > 0 && { env }),
    ...(envFrom.length > 0 && { envFrom }),
    lifecycle: { preStop: { sleep: { seconds: config.drain } }, ...container.lifecycle },
  };
}

function pullSecrets(
  there: readonly { name: string }[],
  wanted: string | undefined,
): Partial<DeploymentSpec["template"]["spec"]> {
  const missing = wanted !== undefined && there.every(({ name }) => name !== wanted);
  return missing ? { imagePullSecrets: [...there, { name: wanted }] } : {};
}

/** Seconds until a pod is killed that was told to end: its drain and some more. */
function grace(given: number | undefined, drainsItself: boolean, drain: number): number {
  if (given === undefined) return drain + GRACE;
  return drainsItself || given > drain ? given : drain + GRACE;
}
