import { DELIVERIES } from "../deliveries.js";
import * as delivery from "./delivery.js";
import * as evidence from "./evidence.js";
import type { Output } from "./form.js";
import * as machine from "./machine.js";

const TOLD = ["status", "history"];
const RUNS = Object.keys(DELIVERIES).filter((name) => !TOLD.includes(name));

const json = (...names: readonly string[]) => names.map((name) => `${name} --output json`);

/**
 * What `--output json` prints, by the name of its schema in docs/schemas. `slipway check` prints
 * report.json, and `slipway call` what the function returns.
 */
export const OUTPUTS = {
  scan: { commands: json("scan"), schema: evidence.scan },
  verify: { commands: json("verify"), schema: evidence.verify },
  release: { commands: json("release"), schema: evidence.release },
  validate: { commands: json("validate"), schema: evidence.validate },
  delivery: { commands: json(...RUNS), schema: delivery.delivery },
  status: { commands: json("status"), schema: delivery.status },
  history: { commands: json("history"), schema: delivery.history },
  comparison: { commands: json("report diff"), schema: machine.comparison },
  plan: { commands: ["plan FUNCTION --as json"], schema: machine.plan },
  functions: { commands: json("functions"), schema: machine.functions },
  doctor: { commands: json("doctor"), schema: machine.doctor },
  "engine-status": { commands: json("engine status"), schema: machine.engineStatus },
  "engine-prune": { commands: json("engine prune"), schema: machine.enginePrune },
} as const satisfies Readonly<Record<string, Output>>;
