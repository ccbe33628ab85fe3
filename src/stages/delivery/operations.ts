export { abort, deploy, promote, rollback } from "./deploy.js";
export { watch } from "./observe.js";
export { diff, plan } from "./plan.js";
