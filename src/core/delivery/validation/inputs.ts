import { nearest } from "../../nearest.js";
import { SlipwayError } from "../../errors.js";
import { failed, passed, warned, type Finding } from "./findings.js";

/** What can be run, by what it needs. */
const FUNCTIONS = ["release", "deploy", "rollback"] as const;
/** `deploy` stands for deployCanary and promote too. */
export type ValidatedFunction = (typeof FUNCTIONS)[number];

/** @throws SlipwayError USAGE for a name that is none of them. */
export function readFunctions(names: readonly string[]): ValidatedFunction[] {
  const chosen = names.length === 0 ? ["deploy"] : names;
  return chosen.map((name) => {
    const found = FUNCTIONS.find((each) => each === name);
    if (found) return found;
    const meant = nearest(name, FUNCTIONS);
    throw new SlipwayError(
      "USAGE",
      `validate knows nothing of "${name}"${meant === undefined ? "" : `; did you mean "${meant}"?`} There are: ${FUNCTIONS.join(", ")}.`,
    );
  });
}

/** Which of the inputs were given; of secrets nothing else is known here. */
export interface Given {
  /** `publish.registry`, or the registry of the reference. */
  readonly registry: string | undefined;
  readonly repository: string;
  readonly username: string | undefined;
  readonly password: boolean;
  readonly kubeConfig: boolean;
  /** `model.tracking` */
  readonly tracking: string | undefined;
  readonly model: boolean;
}

/** Whether everything was given that these functions need, each by the name of its variable. */
export function inputFindings(functions: readonly ValidatedFunction[], given: Given): Finding[] {
  const brings = functions.some((name) => name !== "release");
  return [
    given.registry === undefined
      ? failed("REGISTRY_HOST", "not set", "set it, or publish.registry in [tool.slipway]")
      : passed("REGISTRY_HOST", given.registry),
    passed("REGISTRY_REPO", given.repository),
    loginFinding(functions, given),
    ...(brings && !given.kubeConfig
      ? [
          failed(
            "KUBE_CONFIG_DATA",
            "not set: there is no cluster to go to",
            "set it to a kubeconfig (plain or base64), or pass --kube-config",
          ),
        ]
      : []),
    ...(brings && given.model && given.tracking === undefined
      ? [
          warned(
            "MLFLOW_TRACKING_URI",
            "not set: the model is taken as it is configured, and nobody asks whether it is READY",
            "set it (model.tracking), or model.enabled = false for a service without a model",
          ),
        ]
      : []),
  ];
}

function loginFinding(
  functions: readonly ValidatedFunction[],
  { username, password }: Given,
): Finding {
  const check = "REGISTRY_USER, REGISTRY_TOKEN";
  if (username !== undefined && password) return passed(check, username);
  if (username !== undefined || password)
    return failed(
      check,
      username === undefined ? "a token, but not whose it is" : `${username}, but no token`,
      "set both (--username, --password)",
    );
  const writes = functions.includes("release");
  return writes
    ? warned(check, "not set: the registry is written to by nobody in particular")
    : passed(check, "not set: the registry is read by anybody");
}
