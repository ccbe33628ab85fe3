import { readDeployment, readService, type ServiceSpec } from "./shape.js";
import type { KubernetesObject } from "./types.js";
import { isServiceOf, isServiceWorkload } from "./weights.js";

type Objects = readonly KubernetesObject[];

/** Port of the service's own Service among a release's objects. */
export function portOf(objects: Objects, name: string): number | undefined {
  return servicePorts(objects, name)[0]?.port;
}

/** All ports of that Service. */
export function portsOf(objects: Objects, name: string): number[] {
  return servicePorts(objects, name).map(({ port }) => port);
}

/** What the Service's first port leads to in a pod: a number, or the name of a container's port. */
export function targetOf(objects: Objects, name: string): number | string | undefined {
  const [first] = servicePorts(objects, name);
  return first?.targetPort ?? first?.port;
}

/** Port of the pods that the Service's first one leads to: what is asked without the Service. */
export function podPortOf(objects: Objects, name: string): number | undefined {
  return portIn(objects, name, targetOf(objects, name));
}

/** The port by its name or number in the pods of a release's Deployment. */
export function portIn(
  objects: Objects,
  name: string,
  target: number | string | undefined,
): number | undefined {
  if (typeof target !== "string") return target;
  const deployment = objects.find((each) => isServiceWorkload(each, name));
  const pods = deployment && readDeployment(deployment);
  const containers = typeof pods === "object" ? pods.template.spec.containers : [];
  return containers.flatMap(({ ports = [] }) => ports).find((port) => port.name === target)
    ?.containerPort;
}

function servicePorts(objects: Objects, name: string): ServiceSpec["ports"] {
  const service = objects.find((each) => isServiceOf(each, name));
  const spec = service && readService(service);
  return typeof spec === "object" ? spec.ports : [];
}
