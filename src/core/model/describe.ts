import type { PinnedModel } from "./types.js";

/** What the service is told, so that it loads this version and no other, as variables of its environment. */
export function modelEnvironment(model: PinnedModel): Record<string, string> {
  const { name, version, runId, uri, digest, alias, stage } = model;
  const told = alias ?? stage;
  return {
    ...{ MODEL_REGISTRY_NAME: name, MODEL_VERSION: version, MODEL_URI: uri },
    ...(told !== undefined && { MODEL_STAGE: told }),
    ...(runId !== "" && { MODEL_RUN_ID: runId }),
    ...(digest !== undefined && { MODEL_DIGEST: digest }),
  };
}

/** What is written on the objects in the cluster. */
export function modelAnnotations(model: PinnedModel): Record<string, string> {
  const { uri, runId, digest, how } = model;
  return {
    ...{ "slipway.dev/model": uri, "slipway.dev/model-found-by": how },
    ...(runId !== "" && { "slipway.dev/model-run": runId }),
    ...(digest !== undefined && { "slipway.dev/model-digest": digest }),
  };
}

/** `models:/iris-random-forest/7 by alias production, run 4f1c0a, accuracy 0.97` */
export function modelLine(model: PinnedModel): string {
  const { uri, how, alias, stage, runId, gates } = model;
  const plain = how === "attested" ? "what the image was released with" : how;
  const by =
    alias === undefined ? (stage === undefined ? plain : `stage ${stage}`) : `alias ${alias}`;
  return [
    `${uri} by ${by}`,
    ...(runId === "" ? [] : [`run ${runId}`]),
    ...gates.flatMap(({ metric, value }) => (value === undefined ? [] : [`${metric} ${value}`])),
  ].join(", ");
}
