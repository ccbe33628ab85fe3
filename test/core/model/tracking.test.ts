import { suite } from "uvu";
import * as assert from "uvu/assert";
import { resolveConfig } from "../../../src/core/config/resolve.js";
import { readMove } from "../../../src/core/model/alias.js";
import { modelAnnotations, modelEnvironment, modelLine } from "../../../src/core/model/describe.js";
import { pin } from "../../../src/core/model/pin.js";
import { trackingOf } from "../../../src/core/model/tracking.js";
import { raises } from "../raises.js";
import { facts, model, NAME, refused, TRACKING } from "./facts.js";

const test = suite("the model registry");
const none = { credentials: false };

test("keeps_the_path_and_the_name_that_the_server_knows_itself_by", () => {
  assert.equal(trackingOf("https://models.example/mlflow/", none), {
    ...{ uri: "https://models.example/mlflow/", base: "https://models.example/mlflow" },
    warnings: [],
  });
  const bound = trackingOf("http://127.0.0.1:5000", { alias: "models", credentials: true });
  assert.equal([bound.base, bound.host], ["http://models:5000", "127.0.0.1:5000"]);
  assert.equal(bound.warnings, []);
});

test("warns_of_credentials_on_plain_http", () => {
  const { warnings } = trackingOf("http://models.example:5000", { credentials: true });
  assert.match(warnings.join(), "models.example:5000 unencrypted");
  assert.equal(trackingOf("https://models.example", { credentials: true }).warnings, []);
});

test("rejects_what_is_no_server", () => {
  for (const uri of [
    "sqlite:///mlflow.db",
    "databricks",
    "./mlruns",
    "file:///runs",
    "models.example",
  ])
    assert.match(
      raises("USAGE", () => trackingOf(uri, none)),
      /MLFLOW_TRACKING_URI\) is ".*": expected the address of an MLflow server/,
    );
});

test("rejects_credentials_in_the_address_and_shows_none_of_them", () => {
  const uri = "https://ann:canary-44d0@models.example";
  const said = [
    raises("USAGE", () => trackingOf(uri, none)),
    raises("CONFIG", () => resolveConfig({ pyproject: "", env: { MLFLOW_TRACKING_URI: uri } })),
  ];
  for (const each of said) {
    assert.match(each, "modelToken");
    assert.not.match(each, "canary-44d0");
  }
});

test("takes_the_address_from_mlflows_own_variable", () => {
  const { config } = resolveConfig({ pyproject: "", env: { MLFLOW_TRACKING_URI: TRACKING } });
  assert.is(config.model.tracking, TRACKING);
});

test("tells_the_service_and_the_cluster_which_version_it_is", () => {
  const digest = `sha256:${"0a".repeat(32)}`;
  const gates = [{ metric: "accuracy", minimum: 0.9 }];
  const told = facts(
    { "7": { metrics: { accuracy: 0.97 }, tags: { digest } } },
    { production: "7" },
  );
  const pinned = pin(model({ gates }), told, { tracking: TRACKING });
  assert.equal(modelEnvironment(pinned), {
    ...{ MODEL_REGISTRY_NAME: NAME, MODEL_VERSION: "7", MODEL_URI: `models:/${NAME}/7` },
    ...{ MODEL_STAGE: "production", MODEL_RUN_ID: "run-7", MODEL_DIGEST: digest },
  });
  assert.equal(modelAnnotations(pinned), {
    ...{ "slipway.dev/model": `models:/${NAME}/7`, "slipway.dev/model-found-by": "default" },
    ...{ "slipway.dev/model-run": "run-7", "slipway.dev/model-digest": digest },
  });
  assert.is(modelLine(pinned), `models:/${NAME}/7 by alias production, run run-7, accuracy 0.97`);
});

const MOVE = { name: NAME, alias: "champion", version: "7" };
const answer = { status: 200, body: { registered_model: { name: NAME } } };

test("reads_how_an_alias_moved", () => {
  assert.equal(readMove(MOVE, { before: "6", moved: true, answer }), { before: "6", moved: true });
  assert.equal(readMove(MOVE, { before: null, moved: true, answer }), { moved: true });
  assert.equal(readMove(MOVE, { before: "7", moved: false, answer }), {
    before: "7",
    moved: false,
  });
});

test("fails_when_the_alias_is_not_moved", () => {
  const said = (left: object): string => raises("MODEL", () => readMove(MOVE, left));
  const no = { ...{ before: "6", moved: false }, answer: refused(403, "PERMISSION_DENIED") };
  assert.match(said(no), /alias champion .* does not move to version 7: 403 PERM.*pointed at 6/);
  assert.match(said({ before: "6", moved: false, answer }), "it points elsewhere afterwards");
  const away = { status: 0, error: "timed out" } as const;
  assert.match(said({ before: null, moved: false, answer: away }), "does not answer: timed out");
});

test.run();
