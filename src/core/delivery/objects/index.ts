export { canaryOf, type CanaryInputs } from "./canary.js";
export {
  DEFAULT_CONTAINER,
  labelsOf,
  MANAGED_BY,
  NAME,
  RELEASE,
  selectorOf,
  TRACK,
  trackName,
} from "./labels.js";
export { gatewayOf, routeOf, type RouteInputs } from "./route.js";
export { podPortOf, portIn, portOf, portsOf, targetOf } from "./ports.js";
export { isRouter, objectsOf, podsOf } from "./stable.js";
export type { KubernetesObject, ObjectInputs, Router, Track } from "./types.js";
export {
  isServiceWorkload,
  realWeight,
  replicasFor,
  routerOf,
  serviceFor,
  withReplicas,
  type Pods,
} from "./weights.js";
