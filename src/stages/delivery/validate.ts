import type { Secret } from "@dagger.io/dagger";

import { attestedModel } from "../../core/attestations/about.js";
import type { Model } from "../../core/attestations/predicates.js";
import { kubeconfigFindings } from "../../core/delivery/validation/server.js";
import { failed, passed, warned, type Finding } from "../../core/delivery/validation/findings.js";
import {
  inputFindings,
  readFunctions,
  type ValidatedFunction,
} from "../../core/delivery/validation/inputs.js";
import { atDigest, verifierOf, verifyImage, refuseStranger } from "../verify.js";
import { SlipwayError } from "../../core/errors.js";
import { modelLine } from "../../core/model/describe.js";
import type { PinnedModel } from "../../core/model/types.js";
import { oneLine } from "../../core/text.js";
import type { Context } from "../context.js";
import { resolveModel } from "../model.js";
import { loginOf } from "../publish.js";
import { signerOf, type SignerArguments } from "../signer.js";
import { clusterOf, readAccess } from "./access.js";
import { releaseObjects } from "./compose.js";
import { modelStatement, referenceOf } from "./image.js";
import type { Access } from "./open.js";
import { examineCluster } from "./examine.js";

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

/** What was found of one thing, and the thing where all is well with it. */
interface Looked<T> {
  readonly findings: readonly Finding[];
  readonly value?: T | undefined;
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
  const looked = deploys ? lookAtImage(context, whole, reference) : Promise.resolve(NOTHING);
  const [signer, kubeconfig, image, model] = await Promise.all([
    releases ? lookAtSigner(context, validation.signer) : NOTHING,
    brings ? lookAtKubeconfig(context, access) : NOTHING,
    looked,
    deploys || releases
      ? // A deployment takes what the image was released with.
        looked.then(({ value }) => lookAtModel(context, access, value?.attested))
      : NOTHING,
  ]);
  const objects = deploys
    ? await lookAtObjects(context, {
        reference: image.value?.reference ?? reference.value ?? "registry.invalid/none",
        model: model.value,
      })
    : NOTHING;
  const cluster = kubeconfig.value
    ? await examineCluster(context, kubeconfig.value, objects.value ?? [])
    : [];
  return [inputs, signer, kubeconfig, image, model, objects]
    .flatMap((each) => ("findings" in each ? each.findings : each))
    .concat(cluster);
}

const NOTHING: Looked<never> = { findings: [] };

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
  attested: Model | undefined,
): Promise<Looked<PinnedModel>> {
  if (!context.config.model.enabled) return NOTHING;
  const { findings, value } = await attempted("model", () =>
    resolveModel(context, models, { attested }),
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

async function lookAtObjects(
  context: Context,
  { reference, model }: { readonly reference: string; readonly model: PinnedModel | undefined },
): Promise<Looked<Awaited<ReturnType<typeof releaseObjects>>>> {
  const { namespace } = context.config.deploy;
  // The number is one of its own anyway.
  return await attempted("manifests", () =>
    releaseObjects(context, namespace, 1, { reference, model }),
  );
}

/** What something gives, or why it does not: one finding for each of the problems that it names. */
async function attempted<T>(check: string, work: () => Promise<T>): Promise<Looked<T>> {
  try {
    return { findings: [], value: await work() };
  } catch (error) {
    return { findings: complaints(check, error) };
  }
}

function attempt<T>(check: string, work: () => T): Looked<T> {
  try {
    return { findings: [], value: work() };
  } catch (error) {
    return { findings: complaints(check, error) };
  }
}

function complaints(check: string, error: unknown): Finding[] {
  if (error instanceof SlipwayError && error.problems.length > 0)
    return error.problems.map(({ source, message }) => failed(check, `${source}: ${message}`));
  return [failed(check, oneLine(error instanceof Error ? error.message : String(error), 500))];
}

/** `registry.example:5000` of a reference. */
function registryOf(reference: string | undefined): string | undefined {
  const [first = "", ...rest] = (reference ?? "").split("/");
  return rest.length > 0 && /[.:]|^localhost$/.test(first) ? first : undefined;
}
