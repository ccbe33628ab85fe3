// Releases that do not come up: each is taken back, and the person is told why.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startRegistry } from "../../../ci/sandbox/registry.js";
import { Faults } from "../../../ci/sandbox/cluster/faults.js";
import { plays } from "./support/cases.js";
import { refused, takenBack } from "./support/expect.js";
import { copyTo, openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("releases that do not come up");
test.after(stage.close);

/** Slipway's clock, or the Deployment's own. */
const LATE = /did not become ready (in \d+ s|within deploy\.deadline)/;

plays(test, stage, 3, {
  a_first_release_that_crashes_leaves_nothing_behind: {
    play: async (service) => {
      const ended = await service.deploy("crash");
      assert.is(ended.code, 1, ended.text);
      assert.match(ended.text, /CrashLoopBackOff|exit code 1|exited/i);
      const left = ["get", "deployments,services,httproutes,pdb,networkpolicies", "--output=name"];
      assert.is(await service.kubectl(left), "");
      assert.is((await service.history())[0]?.status, "failed");
    },
  },

  a_canary_that_crashes_is_taken_back_with_its_last_words: {
    play: async (service) => {
      await service.start();
      const ended = await service.deploy("crash");
      await takenBack(service, ended, 1, /CrashLoopBackOff/);
      assert.match(ended.text, /iris-service cannot start: the model file is damaged/);
      assert.match(ended.text, /iris-canary-\S+ \(canary, release 2\)/);
      assert.match(ended.text, /events:\n(.*\n)*.*BackOff/);
      assert.match(ended.text, /next: /);
      assert.not.ok("crash" in (service.counts?.releases ?? {}));
    },
  },

  a_canary_that_never_becomes_ready_is_taken_back_at_the_deadline: {
    play: async (service) => {
      await service.start();
      await service.configure({ deploy: { deadline: 10 } });
      const ended = await service.deploy("never-ready");
      await takenBack(service, ended, 1, LATE);
      assert.match(ended.text, /Readiness probe failed/);
    },
  },

  a_canary_that_starts_after_the_deadline_is_taken_back: {
    play: async (service) => {
      await service.start();
      await service.configure({ deploy: { deadline: 4 } });
      await takenBack(service, await service.deploy("slow-start"), 1, LATE);
    },
  },

  a_canary_that_starts_slowly_but_in_time_is_promoted: {
    play: async (service) => {
      await service.start();
      const ended = await service.deploy("slow-start");
      assert.is(ended.code, 0, ended.text);
    },
  },

  a_canary_whose_image_cannot_be_pulled_is_taken_back: {
    play: async (service) => {
      await service.start();
      // Whoever verifies it has a login, the node has none.
      const login = { user: "ann", password: "of the tests" };
      const registry = await startRegistry({ auth: login });
      try {
        service.registry = registry.address;
        const ended = await service.call("deploy", {
          reference: await copyTo(registry.address, await stage.image("v2"), login),
          username: login.user,
          password: login.password,
        });
        await takenBack(service, ended, 1, /ErrImagePull|ImagePullBackOff/);
      } finally {
        await registry.stop();
      }
    },
  },

  a_quota_that_has_no_room_is_named_before_anything_is_touched: {
    play: async (service) => {
      await service.start();
      const release = await new Faults(stage.cluster).fillQuota(service.namespace);
      refused(await service.deploy("v2"), /no room for the canary beside stable: filled/);
      assert.is((await service.history()).length, 1);
      await release();
    },
  },

  a_quota_that_fills_while_the_canary_starts_is_named: {
    play: async (service) => {
      await service.start();
      // One pod of the canary has room; the next weight wants two.
      const deploying = service.deploy("v2");
      await service.until("first");
      const release = await new Faults(stage.cluster).fillQuota(service.namespace);
      await takenBack(service, await deploying, 1, /exceeded quota/);
      await release();
    },
  },

  a_canary_that_ends_while_it_is_analysed_is_taken_back: {
    analysis: { duration: 20 },
    play: async (service) => {
      await service.start();
      await takenBack(
        service,
        await service.deploy("exits-later"),
        1,
        /restart|no pod of the canary/,
      );
    },
    faulty: { "exits-later": 25, none: 10 },
  },

  an_image_that_is_not_there_is_refused_before_anything_is_touched: {
    play: async (service) => {
      await service.start();
      const [repository = ""] = (await service.reference("v1")).split("@");
      const reference = `${repository}@sha256:${"0".repeat(64)}`;
      refused(
        await service.call("deploy", { reference }),
        /not verified|not found|MANIFEST_UNKNOWN/,
      );
      assert.is((await service.history()).length, 1);
    },
  },
});

test.run();
