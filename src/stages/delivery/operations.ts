export { abort, deploy, promote, rollback } from "./deploy.js";
export { watch } from "./observe.js";
