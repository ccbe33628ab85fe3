import { deploymentOf } from "./deployment.js";
import { labelsOf, selectorOf } from "./labels.js";
import { adopt } from "./own.js";
import { portOf } from "./ports.js";
import { routeOf } from "./route.js";
import { readDeployment } from "./shape.js";
import type { KubernetesObject, ObjectInputs, Router } from "./types.js";
import { isServiceWorkload, isServiceOf, serviceFor } from "./weights.js";

/**
 * Everything of a release when it is live and there is no canary: the project's own manifests with
 * image, labels and drain put in, or else Slipway's objects; and the route when there is a Gateway.
 *
 * @throws SlipwayError CONFIG naming everything in the project's manifests that cannot be deployed so.
 */
export function objectsOf(inputs: ObjectInputs): KubernetesObject[] {
  const { name, namespace, config, own = [] } = inputs;
  const objects = own.length > 0 ? adopt(own, inputs) : slipwayObjects(inputs);
  const port = portOf(objects, name) ?? inputs.port;
  const route = routeOf({ name, namespace, config, port, weight: 0, hasCanary: false });
  return route ? [...objects, route] : objects;
}

/** Number of pods in a release's objects; undefined when an autoscaler has it. */
export function podsOf(objects: readonly KubernetesObject[], name: string): number | undefined {
  const deployment = objects.find((each) => isServiceWorkload(each, name));
  const spec = deployment && readDeployment(deployment);
  return typeof spec === "object" ? spec.replicas : undefined;
}

/**
 * Whether an object shares the requests among the tracks: the route, or the Service where there is no
 * Gateway. It changes only when the pods are ready that it leads to, so it is applied by itself.
 */
export function isRouter(object: KubernetesObject, name: string, router: Router): boolean {
  if (router === "replicas") return isServiceOf(object, name);
  return object.kind === "HTTPRoute" && object.metadata.name === name;
}

function slipwayObjects(inputs: ObjectInputs): KubernetesObject[] {
  const { config } = inputs;
  return [
    deploymentOf(inputs),
    serviceOf(inputs),
    ...(config.disruptions ? [disruptionBudget(inputs)] : []),
    ...(config.networkPolicy ? [networkPolicy(inputs)] : []),
  ];
}

function serviceOf(inputs: ObjectInputs): KubernetesObject {
  const { name, namespace, release, port, servicePort = port } = inputs;
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: labelsOf(name, release, "stable") },
    spec: {
      type: "ClusterIP",
      selector: selectorOf(name),
      // By its name: pods that listen elsewhere than those before are reached as well.
      ports: [{ name: "http", port: servicePort, targetPort: "http", protocol: "TCP" }],
    },
  };
  // Behind a Gateway it stays stable's alone; without one it changes with the weight.
  return serviceFor(service, 0);
}

function disruptionBudget({ name, namespace, release }: ObjectInputs): KubernetesObject {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name, namespace, labels: labelsOf(name, release, "stable") },
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorOf(name, "stable") },
      // A pod that does not work anyway must not keep a node from being emptied.
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    },
  };
}

function networkPolicy({ name, namespace, release, port }: ObjectInputs): KubernetesObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace, labels: labelsOf(name, release, "stable") },
    spec: {
      // Both tracks.
      podSelector: { matchLabels: selectorOf(name) },
      policyTypes: ["Ingress"],
      ingress: [{ ports: [{ port, protocol: "TCP" }] }],
    },
  };
}
