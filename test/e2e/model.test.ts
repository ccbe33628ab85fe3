// The model's version by a real MLflow, asked out of a container of the embedded engine.
import { dag } from "@dagger.io/dagger";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startMlflow } from "../../ci/sandbox/mlflow.js";
import { loadContext, type Context } from "../../src/stages/context.js";
import { moveAlias, resolveModel, type ModelAccess } from "../../src/stages/model.js";
import type { PinnedModel } from "../../src/core/model/types.js";
import { fixture } from "./support/project.js";
import { connectTo } from "./support/sdk.js";
import { openSession } from "./support/session.js";

/** Nothing else holds it. */
const CANARY = "canary-of-the-registry-9c1e";
const NAME = "iris-random-forest";

const [mlflow, session] = await Promise.all([startMlflow(), openSession()]);
const disconnect = await connectTo(session);

const test = suite("the model, by a real MLflow");
test.after(async () => {
  await disconnect();
  await session.close();
  await mlflow.stop();
});

const files = { MLmodel: "flavors: {}\n", "data/model.skops": "a forest\n" };
const first = await mlflow.register(NAME, { files, metrics: { accuracy: 0.93, log_loss: 0.2 } });
const second = await mlflow.register(NAME, {
  metrics: { accuracy: 0.97, log_loss: "NaN" },
  tags: { digest: `sha256:${"0a".repeat(32)}` },
});
await mlflow.setAlias(NAME, "production", first.version);
await mlflow.setAlias(NAME, "challenger", second.version);

function access(more: Partial<ModelAccess> = {}): ModelAccess {
  const port = Number(new URL(mlflow.url).port);
  const service = dag.host().service([{ backend: port, frontend: port }], { host: "127.0.0.1" });
  return { trackingUri: mlflow.url, service, ...more };
}

async function context(...set: string[]): Promise<Context> {
  return await loadContext({
    source: dag.host().directory(fixture("pep621-project")),
    folder: ".",
    set: ["python.version=3.13", ...set],
    environment: [],
  });
}

async function resolve(...set: string[]): Promise<PinnedModel> {
  const found = await resolveModel(await context(...set), access());
  if (found) return found;
  throw new Error("no model was found");
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return String(error);
  }
  throw new Error("it was not refused");
}

const gates = (...each: object[]): string => `model.gates=${JSON.stringify(each)}`;

test("pins_the_alias_with_run_metrics_and_the_digest_of_the_files", async () => {
  const found = await resolve();
  assert.is(found.uri, `models:/${NAME}/1`);
  assert.is(found.runId, first.run);
  assert.equal(found.metrics, { accuracy: 0.93, log_loss: 0.2 });
  // find -type f -printf '%P\n' | sort | xargs sha256sum | sha256sum, over the two files
  assert.is(
    found.digest,
    "sha256:d823b7174aa10a6007c219e1869cac0bd979f8ee58c275ab046372961aef2823",
  );
  assert.equal(found.warnings, []);
});

test("takes_a_number_and_another_alias_and_the_digest_that_is_tagged", async () => {
  assert.is((await resolve("model.version=2")).uri, `models:/${NAME}/2`);
  const found = await resolve("model.alias=challenger");
  assert.equal([found.version, found.alias, found.how], ["2", "challenger", "alias"]);
  assert.is(found.digest, `sha256:${"0a".repeat(32)}`);
  assert.equal(found.metrics, { accuracy: 0.97 });
});

test("takes_a_legacy_stage_with_a_warning", async () => {
  const move = { name: NAME, version: "2", stage: "Staging" };
  await mlflow.rest("POST", "model-versions/transition-stage", move);
  const found = await resolve("model.stage=staging");
  assert.equal([found.version, found.how], ["2", "stage"]);
  assert.match(found.warnings.join(), "MLflow gives stages up");
});

test("rejects_what_the_registry_does_not_have", async () => {
  assert.match(await refusal(resolve("model.alias=prodution")), /did you mean production\?/);
  assert.match(await refusal(resolve("model.version=99")), /no such version.*newest version is 2/);
  assert.match(await refusal(resolve("model.version=new")), /400 INVALID_PARAMETER_VALUE/);
  assert.match(await refusal(resolve("model.name=absent")), "no model of this name");
});

test("rejects_a_version_whose_metrics_are_not_as_the_gates_want", async () => {
  const found = await resolve(
    "model.alias=challenger",
    "model.moveAlias=production",
    gates({ metric: "accuracy", minimum: 0.9, champion: true }),
  );
  assert.match(found.gates.map(({ why }) => why).join(), "the 0.93 of version 1, the champion");
  const said = await refusal(
    resolveModel(
      await context(
        gates(
          { metric: "accuracy", champion: true, tolerance: 0.01 },
          { metric: "f1", minimum: 0.5 },
        ),
      ),
      access(),
      { live: { name: NAME, version: "2" } },
    ),
  );
  assert.match(said, /0.93, wanted the 0.97 of version 2, the champion, within 0.01/);
  assert.match(said, "model.gates f1: the run has no such metric");
  const nan = gates({ metric: "log_loss", maximum: 1 });
  assert.match(await refusal(resolve("model.version=2", nan)), "NaN is nothing to compare");
});

test("moves_the_alias_and_back_and_makes_one_that_is_not_there", async () => {
  const at = async (alias: string): Promise<string> => {
    const path = `registered-models/alias?name=${NAME}&alias=${alias}`;
    const answer = await mlflow.rest<{ model_version: { version: string } }>("GET", path);
    return answer.model_version.version;
  };
  const settings = await context("model.moveAlias=production");
  const [one, two] = [await resolve("model.version=1"), await resolve("model.version=2")];
  assert.equal(await moveAlias(settings, access(), two), { before: "1", moved: true });
  assert.is(await at("production"), "2");
  assert.equal(await moveAlias(settings, access(), two), { before: "2", moved: false });
  assert.equal(await moveAlias(settings, access(), one), { before: "2", moved: true });
  assert.is(await at("production"), "1");
  const fresh = await context("model.moveAlias=champion");
  assert.equal(await moveAlias(fresh, access(), two), { moved: true });
  assert.is(await at("champion"), "2");
  const gone = moveAlias(fresh, access(), { ...two, version: "99" });
  assert.match(await refusal(gone), /champion .* does not move to version 99: 404.*pointed at 2/);
});

test("moves_nothing_unless_it_is_told_which_alias", async () => {
  const model = await resolve("model.version=2");
  assert.equal(await moveAlias(await context(), access(), model), { moved: false });
});

test("asks_anew_each_time", async () => {
  await mlflow.setAlias(NAME, "moving", "1");
  assert.is((await resolve("model.alias=moving")).version, "1");
  await mlflow.setAlias(NAME, "moving", "2");
  assert.is((await resolve("model.alias=moving")).version, "2");
});

test("says_nothing_of_a_model_where_there_is_none", async () => {
  assert.is(await resolveModel(await context("model.enabled=false"), access()), undefined);
  assert.is(await resolveModel(await context(), {}), undefined);
  const found = await resolveModel(await context("model.version=7"), {});
  assert.is(found?.how, "configured");
});

test("rejects_a_server_that_does_not_answer_or_refuses_the_host_and_shows_no_secret", async () => {
  const token = dag.setSecret("model-token", CANARY);
  const dead = await refusal(
    resolveModel(await context(), { trackingUri: "http://127.0.0.1:9", token }),
  );
  assert.match(dead, /http:\/\/127.0.0.1:9: the server does not answer: .*refused/);
  const port = new URL(mlflow.url).port;
  const host = await refusal(
    resolveModel(await context(), access({ trackingUri: `http://models.example:${port}`, token })),
  );
  assert.match(host, /403: Invalid Host header.*--allowed-hosts/);
  for (const said of [dead, host, session.printed()]) assert.not.match(said, CANARY);
});

test.run();
