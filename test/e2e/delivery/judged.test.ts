// Canaries that come up and are no good: what the analysis sees decides, not chance.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { plays } from "./support/cases.js";
import { serves, takenBack } from "./support/expect.js";
import type { Service } from "./support/service.js";
import { openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("canaries that are judged");
test.after(stage.close);

/** Two steps that are both analysed. */
const BOTH = { deploy: { steps: [{ weight: 10 }, { weight: 30 }] } };

async function second(service: Service): Promise<string | undefined> {
  const [record] = await service.history();
  return record?.status;
}

plays(test, stage, 3, {
  a_canary_that_fails_half_of_its_requests_is_taken_back_at_the_first_weight: {
    ...BOTH,
    faulty: { "errors-50": 10 },
    play: async (service) => {
      await service.start();
      const ended = await service.deploy("errors-50");
      await takenBack(
        service,
        ended,
        1,
        /the analysis at 10 % failed: success: \d+ of \d+ requests failed/,
      );
      // All pods are ready: what the canary itself said is what helps.
      assert.match(ended.text, /last lines of iris-canary-\S+ \(container service\):\n.*"level"/);
      assert.is(await second(service), "failed");
    },
  },

  a_canary_that_fails_five_percent_is_taken_back: {
    ...BOTH,
    // Enough requests to be sure of it: 1 % may fail.
    analysis: { rate: 20, duration: 20 },
    faulty: { "errors-5": 10 },
    play: async (service) => {
      await service.start();
      await takenBack(
        service,
        await service.deploy("errors-5"),
        1,
        /the analysis at 10 % failed: success/,
      );
    },
  },

  a_canary_that_fails_one_percent_is_taken_back_where_a_tenth_is_allowed: {
    ...BOTH,
    analysis: { rate: 40, duration: 25, success: { minimum: 99.9, margin: 0.1 } },
    faulty: { "errors-1": 10 },
    play: async (service) => {
      await service.start();
      await takenBack(service, await service.deploy("errors-1"), 1, /failed: success/);
    },
  },

  a_canary_that_fails_a_thousandth_is_not_condemned_by_noise: {
    ...BOTH,
    faulty: { "errors-0.1": 100 },
    play: async (service) => {
      await service.start();
      await serves(service, await service.deploy("errors-0.1"), 2);
    },
  },

  a_few_failures_that_prove_nothing_pause_it_with_a_code_of_their_own: {
    ...BOTH,
    // Some 10 of 200 fail, where 4 % may: more than allowed, and not sure.
    analysis: { rate: 20, duration: 10, success: { minimum: 96, margin: 10 } },
    faulty: { "errors-5": 15 },
    play: async (service) => {
      await service.start();
      const ended = await service.deploy("errors-5");
      assert.is(ended.code, 4, ended.text);
      assert.match(ended.text, /waiting as a canary/);
      assert.is((await service.scene())?.weight, 10);
      assert.is(await second(service), "waiting");
      const aborted = await service.call("abort");
      assert.is(aborted.code, 0, aborted.text);
    },
  },

  a_slow_canary_is_taken_back: {
    ...BOTH,
    // It takes 300 ms longer.
    analysis: { latency: { margin: 100, floor: 100 } },
    play: async (service) => {
      await service.start();
      await takenBack(
        service,
        await service.deploy("slow"),
        1,
        /the analysis at 10 % failed: .*latency|p50|p95/,
      );
    },
  },

  a_canary_that_predicts_differently_is_taken_back: {
    ...BOTH,
    play: async (service) => {
      await service.start();
      const ended = await service.deploy("predicts-differently");
      await takenBack(service, ended, 1, /failed: predictions: \d+ of 30 different requests/);
    },
  },

  a_canary_that_logs_a_lot_is_promoted: {
    ...BOTH,
    play: async (service) => {
      await service.start();
      await serves(service, await service.deploy("loud"), 2);
    },
  },

  too_few_requests_are_never_success: {
    ...BOTH,
    analysis: { minimum: 100 },
    play: async (service) => {
      await service.start();
      const ended = await service.deploy("v2");
      assert.is(ended.code, 4, ended.text);
      assert.match(ended.text, /requests are too few, 100 are needed/);
      assert.is((await service.call("abort")).code, 0);
    },
  },

  a_smoke_test_that_fails_takes_it_back_before_any_request_comes: {
    deploy: { smoke: { requests: [{ path: "/version", contains: "no such words" }], retries: 1 } },
    play: async (service) => {
      await service.start();
      await takenBack(
        service,
        await service.deploy("v2"),
        1,
        /the smoke test of the canary failed/,
      );
      assert.not.ok("v2" in (service.counts?.releases ?? {}));
    },
  },

  a_later_weight_is_judged_too: {
    // The canary ends well after the first analysis, and not at all at the second.
    deploy: { steps: [{ weight: 10 }, { weight: 30, pause: 8 }] },
    faulty: { "exits-later": 30, none: 5 },
    play: async (service) => {
      await service.start();
      await takenBack(
        service,
        await service.deploy("exits-later"),
        1,
        /restart|no pod of the canary/,
      );
    },
  },
});

test.run();
