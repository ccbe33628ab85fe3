// The API server goes away in the middle. The requests do not notice: they do not go through it.
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { Faults } from "../../../ci/sandbox/cluster/faults.js";
import { plays, type Case } from "./support/cases.js";
import { isAlone, serves } from "./support/expect.js";
import type { Moment } from "./support/moments.js";
import type { Service } from "./support/service.js";
import { openStages } from "./support/stage.js";

// Each case has a cluster of its own: one that was without its API server lately is slower to notice
// things, and nobody else's deployments have to live with this.
const stages = await openStages();
const test = suite("outages of the API server");
test.after(stages.close);

const faultsOf = ({ stage }: Service): Faults => new Faults(stage.cluster);

const STEPS = {
  deploy: { steps: [{ weight: 20 }, { weight: 60, analysis: false, pause: 2 }], keep: 3 },
};

/** The API server is killed at a moment, and is there again so many milliseconds later. */
function restartedAt(at: Moment, away = 3000): Case {
  return {
    ...STEPS,
    play: async (service) => {
      const faults = faultsOf(service);
      await service.start();
      const deploying = service.deploy("v2");
      await service.until(at);
      await faults.killApiServer();
      await sleep(away);
      await faults.startApiServer();
      await serves(service, await deploying, 2);
    },
  };
}

// In turn: a cluster fills the machine.
plays(test, stages.open, 1, {
  restarted_while_the_canary_starts: restartedAt("applied"),
  restarted_at_the_first_weight: restartedAt("first"),
  restarted_at_the_second_weight: restartedAt("second"),
  restarted_at_all_requests: restartedAt("whole"),
  restarted_while_stable_is_replaced: restartedAt("replacing"),
  restarted_before_the_canary_is_gone: restartedAt("leaving"),

  frozen_for_ten_seconds_at_the_first_weight: {
    ...STEPS,
    play: async (service) => {
      const faults = faultsOf(service);
      await service.start();
      const deploying = service.deploy("v2");
      await service.until("first");
      await faults.freezeApiServer(() => sleep(10_000));
      await serves(service, await deploying, 2);
    },
  },

  away_for_half_a_minute_while_it_is_taken_back: {
    ...STEPS,
    faulty: { "errors-50": 30 },
    play: async (service) => {
      const faults = faultsOf(service);
      await service.start();
      const deploying = service.deploy("errors-50");
      await service.until("first");
      await sleep(4000);
      await faults.killApiServer();
      await sleep(30_000);
      await faults.startApiServer();
      const ended = await deploying;
      assert.is(ended.code, 1, ended.text);
      await isAlone(service, 1);
    },
  },

  away_for_half_a_minute_while_the_canary_starts: restartedAt("applied", 30_000),

  away_for_longer_than_it_has_patience_is_said_and_the_next_run_recovers: {
    ...STEPS,
    play: async (service) => {
      const faults = faultsOf(service);
      await service.start();
      const deploying = service.deploy("v2");
      await service.until("first");
      await faults.killApiServer();
      const ended = await deploying;
      assert.is(ended.code, 3, ended.text);
      assert.match(ended.text, /the API server does not answer, however often it was asked/);
      await faults.startApiServer();
      const again = await service.deploy("v2");
      assert.is(again.code, 0, again.text);
      await isAlone(service, 3);
      assert.is((await service.history())[1]?.status, "failed");
    },
  },

  without_a_kubelet_a_canary_does_not_start_and_is_taken_back: {
    deploy: { deadline: 8 },
    play: async (service) => {
      const faults = faultsOf(service);
      await service.start();
      await faults.stopKubelet();
      const deploying = service.deploy("v2");
      try {
        const ended = await deploying;
        assert.is(ended.code, 1, ended.text);
        assert.match(ended.text, /did not become ready (in 8 s|within deploy\.deadline)/);
        // A kubelet that comes back may call all its pods unready for a moment, up to 1.34.
        await service.rest();
      } finally {
        await faults.startKubelet();
      }
    },
  },
});

test.run();
