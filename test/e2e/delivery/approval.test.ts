// A canary that waits, and who says yes or no to it.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { plays } from "./support/cases.js";
import { isAlone, refused, serves } from "./support/expect.js";
import type { Service } from "./support/service.js";
import { openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("approvals");
test.after(stage.close);

/** A first release, and a canary of the second that waits at 20 %. */
async function waiting(service: Service): Promise<string> {
  await service.start();
  const reference = await service.reference("v2");
  const ended = await service.call("deployCanary", { reference });
  assert.equal([ended.code, ended.state], [0, "waiting"], ended.text);
  assert.match(ended.text, /slipway promote/);
  return reference;
}

const ONE_STEP = { deploy: { steps: [{ weight: 20 }] } };

plays(test, stage, 3, {
  a_canary_waits_and_is_promoted_by_another_call: {
    ...ONE_STEP,
    play: async (service) => {
      const reference = await waiting(service);
      const stands = await service.scene();
      assert.equal([stands?.stable, stands?.canary, stands?.weight], [1, 2, 20]);
      await serves(service, await service.call("promote", { digest: reference }), 2);
    },
  },

  a_fix_of_a_release_without_a_ready_pod_waits_for_a_yes_too: {
    ...ONE_STEP,
    play: async (service) => {
      // Nobody asks it: its requests would find no pod.
      await serves(service, await service.deploy("v1"), 1);
      await service.kubectl(["delete", "deployment", "iris", "--wait=true"]);
      const reference = await service.reference("v2");
      const ended = await service.call("deployCanary", { reference });
      assert.equal([ended.code, ended.state], [0, "waiting"], ended.text);
      assert.match(ended.text, /no pod of release 1 is ready.*`slipway promote`/);
      const stands = await service.scene();
      assert.equal([stands?.stable, stands?.canary, stands?.weight], [0, 2, 0]);
      await serves(service, await service.call("promote", { digest: reference }), 2);
    },
  },

  promote_refuses_another_digest_than_the_one_that_waits: {
    ...ONE_STEP,
    play: async (service) => {
      await waiting(service);
      const digest = await service.reference("slow");
      refused(
        await service.call("promote", { digest }),
        /release 2 waits with sha256:.*, not with/,
      );
      assert.is((await service.scene())?.weight, 20);
    },
  },

  promote_refuses_a_canary_that_was_changed_since: {
    ...ONE_STEP,
    play: async (service) => {
      await waiting(service);
      await service.kubectl(["set", "env", "deployment/iris-canary", "CHANGED=1"]);
      refused(await service.call("promote"), /somebody changed the canary/);
    },
  },

  promote_refuses_a_canary_that_runs_another_image: {
    ...ONE_STEP,
    play: async (service) => {
      await waiting(service);
      const other = await service.reference("slow");
      await service.kubectl(["set", "image", "deployment/iris-canary", `*=${other}`]);
      refused(await service.call("promote"), /not the verified/);
    },
    faulty: { slow: 30 },
  },

  promote_refuses_a_canary_that_is_gone: {
    ...ONE_STEP,
    play: async (service) => {
      await waiting(service);
      await service.rest();
      await service.kubectl(["delete", "deployment", "iris-canary"]);
      refused(await service.call("promote"), /is not there any more/);
    },
  },

  promote_refuses_when_nothing_waits: {
    play: async (service) => {
      await service.start();
      refused(await service.call("promote"), /no canary waits/);
      await isAlone(service, 1);
    },
  },

  promote_of_what_is_live_already_is_done: {
    play: async (service) => {
      await service.start();
      await serves(
        service,
        await service.call("promote", { digest: await service.reference("v1") }),
        1,
      );
    },
  },

  another_deployment_is_refused_while_a_canary_waits: {
    ...ONE_STEP,
    play: async (service) => {
      await waiting(service);
      refused(await service.deploy("v1"), /the canary of release 2 waits/);
      assert.is((await service.scene())?.weight, 20);
    },
  },

  abort_takes_a_waiting_canary_back: {
    ...ONE_STEP,
    play: async (service) => {
      await waiting(service);
      const aborted = await service.call("abort");
      assert.is(aborted.code, 0, aborted.text);
      await isAlone(service, 1);
      const [second] = await service.history();
      assert.equal([second?.status, second?.why], ["aborted", "the tests aborted it"]);
    },
  },

  a_canary_stops_at_the_weight_that_is_asked_for: {
    deploy: {
      steps: [{ weight: 10, analysis: false }, { weight: 30, analysis: false }, { weight: 70 }],
    },
    play: async (service) => {
      await service.start();
      const reference = await service.reference("v2");
      const ended = await service.call("deployCanary", { reference, until: 30 });
      assert.is(ended.code, 0, ended.text);
      assert.is((await service.scene())?.weight, 30);
      await serves(service, await service.call("promote"), 2);
      const [live] = await service.history();
      assert.equal(
        live?.steps.map(({ weight }) => weight),
        [10, 30, 70],
      );
    },
  },
});

test.run();
