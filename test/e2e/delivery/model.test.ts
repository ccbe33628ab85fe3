// The model of a release: pinned once, its alias moved after the service is healthy, and back.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { plays, type Case } from "./support/cases.js";
import { isAlone, refused, serves, takenBack } from "./support/expect.js";
import type { Table } from "./support/toml.js";
import type { Service } from "./support/service.js";
import { openStage } from "./support/stage.js";

const stage = await openStage({ mlflow: true });
const test = suite("models");
test.after(stage.close);

const { mlflow = "" } = stage.cluster;
const NAME = "iris-random-forest";

/** Every case has an alias of its own: they share the registry. */
let aliases = 0;

function model(alias: string, version: string): Table {
  return { model: { tracking: mlflow, name: NAME, version, moveAlias: alias } };
}

const STEPS = { deploy: { steps: [{ weight: 50, analysis: false }], drain: 1, keep: 1 } };

async function versionOf(alias: string): Promise<string | undefined> {
  const query = new URLSearchParams({ name: NAME, alias });
  const path = `/api/2.0/mlflow/registered-models/alias?${query.toString()}`;
  const answer = await fetch(`${mlflow}${path}`);
  if (!answer.ok) return undefined;
  const { model_version } = (await answer.json()) as { model_version: { version: string } };
  return model_version.version;
}

/** A case with an alias, which stands at the first version. */
function withAlias(
  more: Omit<Case, "play">,
  play: (service: Service, alias: string) => Promise<void>,
): Case {
  return {
    ...more,
    play: async (service) => {
      aliases += 1;
      const alias = `champion-${process.pid}-${aliases}`;
      const set = await fetch(`${mlflow}/api/2.0/mlflow/registered-models/alias`, {
        method: "POST",
        body: JSON.stringify({ name: NAME, alias, version: "1" }),
        headers: { "content-type": "application/json" },
      });
      assert.ok(set.ok, `${set.status}`);
      await service.configure({ more: model(alias, "1") });
      await play(service, alias);
    },
  };
}

plays(test, stage, 3, {
  a_model_is_pinned_and_its_alias_follows_what_is_live_and_goes_back: withAlias(
    STEPS,
    async (service, alias) => {
      await service.start();
      assert.is(await versionOf(alias), "1");
      await service.configure({ more: model(alias, "2") });
      const deploying = service.deploy("v2");
      await service.until("whole");
      assert.is(await versionOf(alias), "1", "moved before the release was live");
      await serves(service, await deploying, 2);
      assert.is(await versionOf(alias), "2");
      const [live] = await service.history();
      assert.is(live?.model?.uri, `models:/${NAME}/2`);
      const path =
        "jsonpath={.spec.template.spec.containers[0].env[?(@.name=='MODEL_VERSION')].value}";
      assert.is(await service.kubectl(["get", "deployment", "iris", `--output=${path}`]), "2");
      await serves(service, await service.call("rollback"), 3);
      assert.is(await versionOf(alias), "1");
      const [back] = await service.history();
      assert.is(back?.model?.uri, `models:/${NAME}/1`);
    },
  ),

  a_release_that_fails_moves_no_alias: withAlias(STEPS, async (service, alias) => {
    await service.start();
    await service.configure({ more: model(alias, "2") });
    await takenBack(service, await service.deploy("crash"), 1, /CrashLoopBackOff/);
    assert.is(await versionOf(alias), "1");
  }),

  a_version_that_is_worse_than_the_live_one_is_found_before_it_is_refused: {
    ...STEPS,
    play: async (service) => {
      const gates = [{ metric: "accuracy", champion: true }];
      const versionIs = (version: string): Table => ({
        model: { tracking: mlflow, name: NAME, version, gates },
      });
      await service.configure({ more: versionIs("2") });
      await service.start();
      await service.configure({ more: versionIs("1") });
      const why = /accuracy: 0\.9533, wanted the 0\.9667 of version 2, the champion/;
      assert.match((await service.complaints("v2")).join("\n"), why);
      refused(await service.deploy("v2"), why);
      await isAlone(service, 1);
    },
  },

  a_version_that_the_registry_does_not_have_is_refused: withAlias(STEPS, async (service, alias) => {
    await service.start();
    await service.configure({ more: model(alias, "99") });
    refused(await service.deploy("v2"), /Version 99 of the model .* there is no such version/);
    await isAlone(service, 1);
  }),

  a_registry_that_is_away_is_said_before_anything_is_touched: withAlias(STEPS, async (service) => {
    await service.start();
    await service.configure({
      more: { model: { tracking: `http://${stage.cluster.address}:1`, name: NAME, version: "2" } },
    });
    refused(
      await service.deploy("v2"),
      /cannot be looked up at http:\/\/.*:1: the server does not answer/,
    );
    await isAlone(service, 1);
  }),

  an_alias_is_resolved_once_whatever_becomes_of_it: {
    ...STEPS,
    play: async (service) => {
      await service.configure({
        more: { model: { tracking: mlflow, name: NAME, alias: "challenger" } },
      });
      await serves(service, await service.deploy("v1"), 1);
      await service.use();
      const [live] = await service.history();
      assert.equal([live?.model?.version, live?.model?.how], ["2", "alias"]);
      assert.match(live?.model?.digest ?? "", /^sha256:[0-9a-f]{64}$/);
    },
  },
});

test.run();
