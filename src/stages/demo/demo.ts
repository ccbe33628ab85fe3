import { dag, type Directory, type Secret, type Service } from "@dagger.io/dagger";

import { CLIENT, clientPod, countsText, readCounts, type Counts } from "../../core/demo/client.js";
import { BROKEN, edited, FIRST, GOOD, type Version } from "../../core/demo/versions.js";
import type { Ended } from "../../core/delivery/process.js";
import { endedText } from "../../core/delivery/report.js";
import { SlipwayError } from "../../core/errors.js";
import { loadContext, type Context } from "../context.js";
import { deploy } from "../delivery/deploy.js";
import { history } from "../delivery/observe.js";
import { serviceName, type Access } from "../delivery/open.js";
import { withProgram } from "../programs.js";
import { publishTarget } from "../publish.js";
import { release } from "../release.js";
import { signerOf } from "../signer.js";
import { startSandbox, type Sandbox } from "./cluster.js";

/** What the caller gives. */
interface Inputs {
  /** The example service. */
  readonly example: Directory;
  /** Where its images go, without a tag; empty for ttl.sh. */
  readonly repository: string;
  readonly set: readonly string[];
  readonly advisories?: Directory | undefined;
  readonly database?: Directory | undefined;
  readonly registry?: Service | undefined;
}

/** The times are shorter than in production, so that it can be watched. Without a gateway, weights are shares of the pods. */
const SETTINGS = [
  "deploy.namespace=iris",
  "deploy.replicas=4",
  'deploy.steps=[{"weight": 20}, {"weight": 50}, {"weight": 100}]',
  "deploy.keep=5",
  "analysis.duration=8",
];

/** Everything that the chapters need. */
interface Stage {
  readonly repository: string;
  readonly key: Secret;
  readonly keyPassword: Secret;
  readonly publicKey: string;
  /** Tells the next line of the story. */
  readonly say: (text: string) => void;
}

/**
 * Takes the example from its source to a k3s of its own: released, deployed, replaced by a new version,
 * and by a broken one, which is taken back.
 *
 * @returns The story, as it was told on the way.
 * @throws SlipwayError when it does not go as it should; the cluster is ended however it goes.
 */
export async function demo(inputs: Inputs): Promise<string> {
  const lines: string[] = [];
  const say = (text: string): void => {
    lines.push(text);
    console.log(text);
  };
  const own = Math.random().toString(36).slice(2, 12);
  const repository = inputs.repository || `ttl.sh/slipway-${own}/iris-service`;
  const [first, good, broken] = await Promise.all([
    contextOf(inputs, FIRST),
    contextOf(inputs, GOOD),
    contextOf(inputs, BROKEN),
  ]);
  const stage: Stage = { repository, say, ...(await makeKeys(first)) };
  say(
    `== ${FIRST.version} is checked, built, scanned, pushed by digest to ${repository}, signed with a key made for this demo, attested and verified; meanwhile a k3s of one node starts`,
  );
  // Whatever becomes of the release, the cluster has to be ended.
  const starting = startSandbox(first, repository);
  try {
    const [reference, sandbox] = await Promise.all([released(stage, first), starting]);
    await tell(stage, { first, good, broken }, reference, sandbox);
  } finally {
    const sandbox = await starting.catch(() => undefined);
    await sandbox?.stop();
  }
  return lines.join("\n");
}

async function tell(
  stage: Stage,
  { first, good, broken }: Readonly<Record<"first" | "good" | "broken", Context>>,
  reference: string,
  sandbox: Sandbox,
): Promise<void> {
  const { say } = stage;
  say(
    `== ${FIRST.version} is deployed: there is nothing to compare it with, so the pods just have to become ready`,
  );
  await deployed(stage, sandbox, first, reference, "done");
  const pod = JSON.stringify(clientPod(serviceName(first), reference));
  const counts = async (): Promise<Counts> => {
    const [log = ""] = await sandbox.ask({
      args: ["logs", CLIENT, "--tail=3"],
      until: { pattern: "requests", seconds: 60 },
    });
    return readCounts(log);
  };
  await sandbox.ask(
    { args: ["create", "--filename=-"], input: pod },
    {
      args: ["get", `pod/${CLIENT}`, "--output=jsonpath={.status.phase}"],
      until: { pattern: "Running", seconds: 60 },
    },
  );
  const next = async (newer: Context, outcome: Ended["outcome"]): Promise<void> => {
    const image = await released(stage, newer);
    const before = await counts();
    await deployed(stage, sandbox, newer, image, outcome);
    say(countsText(before, await counts()));
  };
  say(
    `== ${GOOD.version} gets a fifth, half, then all of the requests, and is compared at each step with ${FIRST.version}: failures, latency, restarts, predictions`,
  );
  await next(good, "done");
  say(
    `== ${BROKEN.version} passes all tests, but cannot write its log where it runs: each prediction fails. The analysis has to find that, and take it back by itself`,
  );
  await next(broken, "failed");
  say("== What the cluster knows of it");
  say((await history(first, accessTo(stage, sandbox))).table);
}

async function contextOf(inputs: Inputs, { edits }: Version): Promise<Context> {
  let source = inputs.example;
  for (const edit of edits) {
    const [file] = edit;
    source = source.withNewFile(file, edited(await source.file(file).contents(), edit));
  }
  return await loadContext({
    ...inputs,
    source,
    folder: ".",
    set: [...SETTINGS, ...inputs.set],
    environment: [],
  });
}

/** Releases a version and gives its image by digest. */
async function released(
  { repository, key, keyPassword }: Stage,
  context: Context,
): Promise<string> {
  const signer = await signerOf(context, { key, keyPassword });
  const target = publishTarget(context, { repository, overwrite: false });
  const { published } = await release(context, target, {}, signer, {});
  return published.reference;
}

async function deployed(
  stage: Stage,
  sandbox: Sandbox,
  context: Context,
  reference: string,
  expected: Ended["outcome"],
): Promise<void> {
  const ended = await deploy(context, accessTo(stage, sandbox), reference, { kind: "whole" });
  stage.say(endedText(ended));
  if (ended.outcome === expected) return;
  throw new SlipwayError(
    "DELIVERY",
    `The demo does not go as it should: this deployment had to end as ${expected}, and is ${ended.outcome}.`,
  );
}

function accessTo({ publicKey }: Stage, { kubeConfig, service }: Sandbox): Access {
  return {
    ...{ kubeConfig, cluster: service, publicKey },
    ...{ by: "demo", run: Math.random().toString(36).slice(2, 10), models: {} },
  };
}

/** A pair of keys that lives as long as the demo. */
async function makeKeys(
  context: Context,
): Promise<Pick<Stage, "key" | "keyPassword" | "publicKey">> {
  const own = `${Date.now()}-${Math.random()}`;
  const keyPassword = dag.setSecret(`the demo's password ${own}`, own);
  const made = withProgram(context, "cosign")
    .withSecretVariable("COSIGN_PASSWORD", keyPassword)
    .withEnvVariable("SLIPWAY_ATTEMPT", own)
    .withWorkdir("/keys")
    .withExec(["cosign", "generate-key-pair"]);
  const key = dag.setSecret(`the demo's key ${own}`, await made.file("cosign.key").contents());
  return { key, keyPassword, publicKey: await made.file("cosign.pub").contents() };
}
