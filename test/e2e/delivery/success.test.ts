// Deployments that go well, on a real cluster, while somebody uses the service.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { plays } from "./support/cases.js";
import { answering, serves } from "./support/expect.js";
import { openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("deployments that go well");
test.after(stage.close);

plays(test, stage, 3, {
  a_first_deployment_goes_without_a_canary_and_says_so: {
    play: async (service) => {
      const first = await service.deploy("v1");
      await serves(service, first, 1);
      assert.equal([first.release, first.state], [1, "live"]);
      assert.match(stage.said.join("\n"), /goes without a canary: it is the first one/);
      await service.use();
      assert.equal(await answering(service), ["v1"]);
      const [record] = await service.history();
      assert.equal(record?.steps, []);
      assert.is(record?.reference, await service.reference("v1"));
      assert.match(record?.verified ?? "", /signed with the key/);
    },
  },

  a_second_deployment_goes_step_by_step_and_is_analysed: {
    play: async (service) => {
      await service.start();
      await serves(service, await service.deploy("v2"), 2);
      assert.equal(await answering(service), ["v2"]);
      const [live, before] = await service.history();
      assert.equal([live?.status, before?.status], ["live", "superseded"]);
      const steps = live?.steps.map(({ weight, analysis }) => [weight, analysis?.outcome]);
      assert.equal(steps, [
        [20, "passed"],
        [60, undefined],
      ]);
      const { releases = {} } = service.counts ?? {};
      assert.ok((releases.v1 ?? 0) > 0 && (releases.v2 ?? 0) > 0, JSON.stringify(releases));
    },
  },

  the_same_image_and_configuration_again_change_nothing_and_it_says_so: {
    play: async (service) => {
      await service.start();
      const uid = ["get", "deployment", service.name, "--output=jsonpath={.metadata.generation}"];
      const generation = await service.kubectl(uid);
      const again = await service.deploy("v1");
      await serves(service, again, 1);
      assert.is(again.release, 1);
      assert.is(await service.kubectl(uid), generation);
      assert.is((await service.history()).length, 1);
      assert.match(stage.said.join("\n"), /release 1 is this already: nothing to do/);
    },
  },

  a_changed_configuration_alone_is_a_release_too: {
    play: async (service) => {
      await service.start();
      await service.configure({ deploy: { environment: { GREETING: "hello" } } });
      await serves(service, await service.deploy("v1"), 2);
      const path = "jsonpath={.spec.template.spec.containers[0].env[?(@.name=='GREETING')].value}";
      const args = ["get", "deployment", service.name, `--output=${path}`];
      assert.is(await service.kubectl(args), "hello");
    },
  },

  blue_green_switches_all_requests_at_once: {
    deploy: { strategy: "blue-green" },
    play: async (service) => {
      await service.start();
      const deploying = service.deploy("v2");
      const standing = await service.until("standing");
      assert.is(standing.weight, 0);
      const whole = await service.until("first");
      assert.equal([whole.weight, whole.ready], [100, 2]);
      await serves(service, await deploying, 2);
      const [live] = await service.history();
      assert.equal(
        live?.steps.map(({ weight, analysis }) => [weight, analysis?.outcome]),
        [
          [0, "passed"],
          [100, undefined],
        ],
      );
    },
  },

  a_header_leads_to_the_canary_before_others_get_there: {
    route: { header: "X-Canary=always" },
    deploy: { steps: [{ weight: 0, pause: 4, analysis: false }, { weight: 50 }] },
    play: async (service) => {
      await service.start();
      const deploying = service.deploy("v2");
      await service.until("standing");
      const end = Date.now() + 300_000;
      while ((await answering(service, { "x-canary": "always" }, 1))[0] !== "v2")
        assert.ok(Date.now() < end, "the header leads nowhere");
      assert.equal(await answering(service), ["v1"]);
      await serves(service, await deploying, 2);
      assert.equal(await answering(service, { "x-canary": "always" }), ["v2"]);
    },
  },

  status_and_history_say_it_as_json: {
    play: async (service) => {
      await service.start();
      const status = await service.call("status");
      assert.equal([status.code, status.state, status.release], [0, "healthy", 1], status.text);
      const told = JSON.parse(status.json) as {
        live: { number: number };
        seen: { weight: number };
      };
      assert.equal([told.live.number, told.seen.weight], [1, 0]);
      assert.match(status.text, /release 1 of iris is live/);
      const history = await service.call("history");
      assert.match(history.text, /1 +live/);
      const [record] = await service.history();
      assert.equal([record?.number, record?.status, record?.by], [1, "live", "the tests"]);
      assert.ok((record?.calls ?? 0) > 0);
    },
  },

  a_watch_of_a_healthy_release_leaves_it_alone: {
    play: async (service) => {
      await service.start();
      const watched = await service.call("watch", { seconds: 2 });
      await serves(service, watched, 1);
      assert.is((await service.history()).length, 1);
    },
  },
});

test.run();
