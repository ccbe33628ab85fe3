import type { Secret } from "@dagger.io/dagger";

import { attestedModel } from "../../core/attestations/about.js";
import type { Model } from "../../core/attestations/predicates.js";
import { observe } from "../../core/delivery/observe.js";
import { liveRelease, nextNumber } from "../../core/delivery/release.js";
import { kubeconfigFindings } from "../../core/delivery/validation/server.js";
import { failed, passed, warned, type Finding } from "../../core/delivery/validation/findings.js";
import {
  inputFindings,
  readFunctions,
  type ValidatedFunction,
} from "../../core/delivery/validation/inputs.js";
import { passageFindings, releasesFinding } from "../../core/delivery/validation/progress.js";
import { atDigest, verifierOf, verifyImage, refuseStranger } from "../verify.js";
import { modelLine } from "../../core/model/describe.js";
import type { PinnedModel } from "../../core/model/types.js";
import type { Context } from "../context.js";
import type { Cluster } from "../kubectl.js";
import { resolveModel, type Wanting } from "../model.js";
import { loginOf } from "../publish.js";
import { signerOf, type SignerArguments } from "../signer.js";
import { clusterOf, readAccess } from "./access.js";
import { composeRelease } from "./compose.js";
import { examineCluster, PATIENCE, type Brought } from "./examine.js";
import { modelStatement, referenceOf } from "./image.js";
import { attempt, attempted, NOTHING, problemFindings, type Looked } from "./looked.js";
import { lookAround, serviceName, type Access, type Known } from "./open.js";
import { canaryProblems } from "./problems.js";

export { readFunctions };

/** What is looked at, and with what. */
export interface Validation {
  /** The image; by default that of the project's version. */
  readonly reference: string;
  readonly functions: readonly ValidatedFunction[];
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  /** Who signs a release. */
  readonly signer: SignerArguments;
}

/**
 * Looks at everything that a deployment needs and changes nothing: inputs, kubeconfig, image, model,
 * cluster. Fail-closed: what cannot be known is not all right.
 *
 * @returns All findings at once.
 */
export async function validateAll(
  context: Context,
  access: Omit<Access, "login">,
  validation: Validation,
): Promise<Finding[]> {
  const { functions, username, password } = validation;
  const brings = functions.some((name) => name !== "release");
  const reference = attempt("image", () => referenceOf(context, validation.reference));
  const { config, project } = context;
  const inputs = inputFindings(functions, {
    registry: registryOf(reference.value) ?? config.publish.registry,
    repository: config.publish.repository ?? project.name,
    username,
    password: password !== undefined,
    kubeConfig: access.kubeConfig !== undefined,
    tracking: access.models.trackingUri ?? config.model.tracking,
    model: config.model.enabled,
  });
  const login = attempt("login", () => loginOf(username, password)).value;
  const whole = { ...access, login };
  const deploys = functions.includes("deploy");
  const releases = functions.includes("release");
  const kubeconfig = brings ? await lookAtKubeconfig(context, access) : NOTHING;
  const looked = deploys ? lookAtImage(context, whole, reference) : Promise.resolve(NOTHING);
  const seen = deploys ? lookAtLive(context, kubeconfig.value) : Promise.resolve(NOTHING);
  const [signer, analysis, image, there, model] = await Promise.all([
    releases ? lookAtSigner(context, validation.signer) : NOTHING,
    deploys ? lookAtTests(context, access) : NOTHING,
    looked,
    seen,
    deploys || releases
      ? // A deployment takes what the image was released with, and compares it with what is live.
        Promise.all([looked, seen]).then(([{ value }, { value: known }]) =>
          lookAtModel(context, access, {
            attested: value?.attested,
            live: known && liveRelease(known.records)?.model,
          }),
        )
      : NOTHING,
  ]);
  const brought = deploys
    ? await lookAtRelease(context, there.value, {
        reference: image.value?.reference ?? reference.value ?? "registry.invalid/none",
        model: model.value,
      })
    : NOTHING;
  const cluster = kubeconfig.value
    ? await examineCluster(context, kubeconfig.value, brought.value)
    : [];
  return [inputs, signer, kubeconfig, image, model, analysis, there, brought]
    .flatMap((each) => ("findings" in each ? each.findings : each))
    .concat(cluster);
}

/** A verified image, by its digest, and the model that it was released with. */
interface LookedImage {
  readonly reference: string;
  readonly attested: Model | undefined;
}

async function lookAtSigner(context: Context, given: SignerArguments): Promise<Looked<unknown>> {
  const { findings, value } = await attempted("signing", async () => {
    const signer = await signerOf(context, given);
    await refuseStranger(context, signer.verifier);
    return signer;
  });
  if (value === undefined) return { findings };
  const { verifier } = value;
  const by = verifier.kind === "key" ? "the key and its password fit" : verifier.identity;
  return { findings: [passed("signing", by)] };
}

async function lookAtKubeconfig(
  context: Context,
  { kubeConfig, cluster }: Omit<Access, "login">,
): Promise<Looked<ReturnType<typeof clusterOf>>> {
  // That it is missing is told among the inputs.
  if (!kubeConfig) return NOTHING;
  const read = await readAccess(context, { kubeConfig, cluster });
  const findings = kubeconfigFindings(read, new Date());
  if (read.problems.length > 0) return { findings };
  return { findings, value: clusterOf(context, read, { kubeConfig, cluster }) };
}

async function lookAtImage(
  context: Context,
  access: Access,
  reference: Looked<string>,
): Promise<Looked<LookedImage>> {
  if (reference.value === undefined) return { findings: reference.findings };
  const target = { ...context, reference: reference.value, login: access.login };
  const { findings, value } = await attempted("image", async () =>
    verifyImage(
      context,
      await verifierOf(context, access.publicKey),
      target,
      modelStatement(context),
    ),
  );
  if (value === undefined) return { findings };
  const bad = value.rules.filter(({ ok }) => !ok);
  const { digest } = value.evidence;
  if (bad.length > 0 || digest === undefined)
    return {
      findings: bad.map(({ rule, found }) =>
        failed(
          `image: ${rule}`,
          `${target.reference}: ${found}`,
          "slipway release makes an image with all evidence",
        ),
      ),
    };
  const whole = atDigest(target, digest).reference;
  const model = attempt("model", () => attestedModel(digest, value.evidence.statements));
  return {
    findings: [passed("image", `${whole}, verified`), ...model.findings],
    value: { reference: whole, attested: model.value },
  };
}

async function lookAtModel(
  context: Context,
  { models }: Pick<Access, "models">,
  wanting: Wanting,
): Promise<Looked<PinnedModel>> {
  if (!context.config.model.enabled) return NOTHING;
  const { findings, value } = await attempted("model", () =>
    resolveModel(context, models, wanting),
  );
  if (value === undefined) return { findings };
  return {
    findings: [
      passed("model", modelLine(value)),
      ...value.warnings.map((warning) => warned("model", warning)),
    ],
    value,
  };
}

/** What is live by now, as a deployment would find it; its lease is left to whoever has it. */
async function lookAtLive(context: Context, cluster: Cluster | undefined): Promise<Looked<Known>> {
  if (!cluster) return NOTHING;
  const { findings, value } = await attempted("releases", () =>
    lookAround(context, cluster, PATIENCE),
  );
  return value ? { findings: [releasesFinding(value.records)], value } : { findings };
}

/** What analyses and smoke tests would stumble over when the canary stands already. */
async function lookAtTests(
  context: Context,
  { metricsToken }: Pick<Access, "metricsToken">,
): Promise<Looked<unknown>> {
  const { findings, value } = await attempted("analysis", () =>
    canaryProblems(context, metricsToken !== undefined),
  );
  if (value === undefined) return { findings };
  if (value.length > 0) return { findings: problemFindings("analysis", value) };
  return { findings: [passed("analysis", "requests, queries and smoke tests can be made")] };
}

/** The release as it would be, beside what is there; where that is not known, as if nothing were. */
async function lookAtRelease(
  context: Context,
  known: Known | undefined,
  { reference, model }: { readonly reference: string; readonly model: PinnedModel | undefined },
): Promise<Looked<Brought>> {
  const { namespace } = context.config.deploy;
  const { records, seen } = known ?? { records: [], seen: observe(serviceName(context), []) };
  const live = liveRelease(records);
  const { findings, value } = await attempted("manifests", () =>
    composeRelease(
      context,
      { namespace },
      { next: nextNumber(records), seen, live },
      { ...{ reference, model }, ...{ verified: "", by: "", run: "" } },
    ),
  );
  if (!value) return { findings };
  return {
    findings: passageFindings(live, value, seen),
    value: { release: value, live, seen },
  };
}

/** `registry.example:5000` of a reference. */
function registryOf(reference: string | undefined): string | undefined {
  const [first = "", ...rest] = (reference ?? "").split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : undefined;
}
