import type { Problem } from "../../errors.js";
import { NAME, trackName } from "./labels.js";
import { field, readDeployment, readService, type DeploymentSpec } from "./shape.js";
import type { KubernetesObject, ObjectInputs } from "./types.js";
import { isServiceWorkload, isServiceOf, routerOf } from "./weights.js";

/** What is deployed, among the project's manifests. */
export interface Found {
  readonly deployment: DeploymentSpec;
  /** Name of the container that runs the image. */
  readonly container: string;
  /** Whether an autoscaler decides how many pods there are. */
  readonly isScaled: boolean;
}

type Inputs = Pick<ObjectInputs, "name" | "namespace" | "config">;

/** Workloads that have no second version beside the first. */
const OTHER_WORKLOADS = ["StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod"];

/** Objects of the whole cluster: whoever deploys one service has no business with them. */
const CLUSTER_WIDE = [
  "APIService",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "GatewayClass",
  "IngressClass",
  "MutatingWebhookConfiguration",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PriorityClass",
  "StorageClass",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
];

/** Looks for the Deployment, its container and its Service, and for all that a canary cannot be made of. */
export function examine(
  own: readonly KubernetesObject[],
  inputs: Inputs,
): { readonly found?: Found; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [...own.flatMap((object) => unfit(object, inputs)), ...doubles(own)];
  const object = own.find((each) => isServiceWorkload(each, inputs.name));
  if (!object) return { problems: [...problems, noDeployment(own, inputs.name)] };
  const deployment = readDeployment(object);
  if (typeof deployment === "string")
    return { problems: [...problems, problem(object, deployment)] };
  const isScaled = own.some((each) => scales(each, inputs.name));
  problems.push(...unfitDeployment(object, deployment, own));
  if (isScaled && routerOf(inputs.config) === "replicas")
    problems.push(
      problem(
        object,
        "an autoscaler changes the number of its pods, and without a Gateway that number is the weight; set deploy.route.gateway, or leave the autoscaler out",
      ),
    );
  const container = containerOf(object, deployment, inputs.config.container);
  const service = serviceProblem(own, deployment, inputs.name);
  if (service) problems.push(service);
  if (typeof container !== "string") return { problems: [...problems, container] };
  return { found: { deployment, container, isScaled }, problems };
}

function noDeployment(own: readonly KubernetesObject[], name: string): Problem {
  const names = own.flatMap(({ kind, metadata }) => (kind === "Deployment" ? [metadata.name] : []));
  const other = own.find(
    ({ kind, metadata }) =>
      OTHER_WORKLOADS.includes(kind) && (metadata.name === name || names.length === 0),
  );
  if (other)
    return problem(
      other,
      `a ${other.kind} cannot have a canary beside it; only a Deployment is deployed step by step`,
    );
  if (names.length === 0)
    return { source: "deploy.manifests", message: "there is no Deployment among the objects" };
  return {
    source: "deploy.manifests",
    message: `there is no Deployment "${name}" (deploy.name), but ${names.map((each) => `"${each}"`).join(", ")}; set deploy.name to the one that runs the image`,
  };
}

/** What is wrong with an object whatever else there is. */
function unfit(object: KubernetesObject, { name, namespace, config }: Inputs): Problem[] {
  const { kind, metadata } = object;
  const found: string[] = [];
  if (CLUSTER_WIDE.includes(kind))
    found.push("it belongs to the whole cluster; leave it out, and apply it once by other means");
  if (metadata.namespace !== undefined && metadata.namespace !== namespace)
    found.push(
      `it is of namespace "${metadata.namespace}", and the deployment of "${namespace}" (deploy.namespace)`,
    );
  if (kind === "Secret" && (object.data !== undefined || object.stringData !== undefined))
    found.push(
      "a secret in a manifest is one for everybody who reads the repository; make it in the namespace by other means and name it in deploy.secrets",
    );
  if (metadata.name === trackName(name, "canary") && ["Deployment", "Service"].includes(kind))
    found.push("Slipway itself makes one of that name for the canary; name it otherwise");
  if (kind === "HTTPRoute" && routerOf(config) === "gateway" && leadsTo(object, name))
    found.push(
      "Slipway makes the route to the service, with the weights of the canary; leave this one out and set deploy.route",
    );
  return found.map((message) => problem(object, message));
}

function leadsTo(route: KubernetesObject, name: string): boolean {
  const rules = field(route, "spec", "rules");
  const text = JSON.stringify(rules ?? []);
  return route.metadata.name === name || text.includes(`"name":${JSON.stringify(name)}`);
}

function doubles(own: readonly KubernetesObject[]): Problem[] {
  const seen = new Set<string>();
  return own.flatMap((object) => {
    const id = [object.apiVersion, object.kind, object.metadata.name].join(" ");
    const again = seen.has(id);
    seen.add(id);
    return again ? [problem(object, "it is there twice")] : [];
  });
}

function unfitDeployment(
  object: KubernetesObject,
  { strategy, template, selector }: DeploymentSpec,
  own: readonly KubernetesObject[],
): Problem[] {
  const { containers, initContainers = [], hostNetwork = false, volumes = [] } = template.spec;
  const found: string[] = [];
  if (strategy?.type === "Recreate")
    found.push("spec.strategy Recreate takes all pods away before there are others");
  if (hostNetwork) found.push("hostNetwork: a second pod finds the node's port taken");
  for (const { name, ports = [] } of [...containers, ...initContainers])
    if (ports.some(({ hostPort }) => hostPort !== undefined))
      found.push(`hostPort of container "${name}": a second pod finds the node's port taken`);
  for (const { persistentVolumeClaim: claim } of volumes)
    if (claim && own.some((each) => isForOne(each, claim.claimName)))
      found.push(
        `the volume of "${claim.claimName}" is for one node or pod at a time (ReadWriteOnce): stable and canary cannot both have it`,
      );
  const labels = template.metadata.labels ?? {};
  if (labels[NAME] !== undefined && labels[NAME] !== object.metadata.name)
    found.push(
      `its pods have the label ${NAME}: ${labels[NAME]}; by that label they are found, so it has to be ${object.metadata.name}`,
    );
  const wanted = Object.entries(selector.matchLabels ?? {});
  if (wanted.some(([key, value]) => labels[key] !== value))
    found.push("spec.selector does not match the labels of its pods");
  return found.map((message) => problem(object, message));
}

function isForOne(object: KubernetesObject, claim: string): boolean {
  if (object.kind !== "PersistentVolumeClaim" || object.metadata.name !== claim) return false;
  const modes = field(object, "spec", "accessModes");
  return Array.isArray(modes) && !modes.some((mode) => String(mode).endsWith("Many"));
}

function scales(object: KubernetesObject, name: string): boolean {
  const target = field(object, "spec", "scaleTargetRef");
  if (typeof target !== "object" || target === null) return false;
  const { kind = "Deployment", name: of } = target as { kind?: unknown; name?: unknown };
  return kind === "Deployment" && of === name;
}

/** Name of the container that runs the image, or why it is not known. */
function containerOf(
  object: KubernetesObject,
  { template }: DeploymentSpec,
  wanted: string | undefined,
): string | Problem {
  const { containers } = template.spec;
  const names = containers.map(({ name }) => `"${name}"`).join(", ");
  const found = containers.find(({ name }) => name === (wanted ?? containers[0]?.name));
  if (wanted === undefined && containers.length > 1)
    return problem(
      object,
      `it has the containers ${names}; say which runs the image: deploy.container`,
    );
  if (!found)
    return problem(
      object,
      `it has no container "${wanted ?? ""}" (deploy.container), but ${names}`,
    );
  if (found.readinessProbe === undefined)
    return problem(
      object,
      `container "${found.name}" has no readinessProbe: its pods would get requests before they can answer`,
    );
  return found.name;
}

/** Why requests would not reach the Deployment by its Service. */
function serviceProblem(
  own: readonly KubernetesObject[],
  { template }: DeploymentSpec,
  name: string,
): Problem | undefined {
  const object = own.find((each) => isServiceOf(each, name));
  if (!object)
    return {
      source: "deploy.manifests",
      message: `there is no Service "${name}" among the objects; requests reach the Deployment by a Service of its name`,
    };
  const service = readService(object);
  if (typeof service === "string") return problem(object, service);
  if (service.type === "ExternalName")
    return problem(object, "an ExternalName leads out of the cluster, not to pods");
  if (service.clusterIP === "None")
    return problem(
      object,
      "it is headless (clusterIP: None): nothing shares the requests among pods",
    );
  const selector = Object.entries(service.selector ?? {});
  const labels = template.metadata.labels ?? {};
  if (selector.length === 0 || selector.some(([key, value]) => labels[key] !== value))
    return problem(object, `its selector does not match the pods of Deployment "${name}"`);
  return undefined;
}

function problem({ kind, metadata }: KubernetesObject, message: string): Problem {
  return { source: `${kind}/${metadata.name}`, message };
}
