export { canaryOf, type CanaryInputs } from "./canary.js";
export { DEFAULT_CONTAINER, labelsOf, NAME, RELEASE, selectorOf, TRACK, trackName } from "./labels.js";
export { gatewayOf, routeOf, type RouteInputs } from "./route.js";
export { isRouter, objectsOf, podPortOf, podsOf, portOf } from "./stable.js";
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
