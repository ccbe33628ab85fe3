// The way back, from every state.
import { setTimeout as sleep } from "node:timers/promises";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { startRegistry } from "../../../ci/sandbox/registry.js";
import { plays } from "./support/cases.js";
import { answering, isAlone, refused, serves } from "./support/expect.js";
import type { Service } from "./support/service.js";
import { copyTo, openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("rollbacks");
test.after(stage.close);

/** Quick ones: these cases are about the way back. */
const QUICK = { deploy: { steps: [{ weight: 50, analysis: false }], drain: 1, keep: 1 } };

/** Two releases: the first was good, the second is live. */
async function two(service: Service): Promise<void> {
  await service.start();
  await serves(service, await service.deploy("v2"), 2);
}

plays(test, stage, 3, {
  a_rollback_brings_the_release_before_back_as_one_of_its_own: {
    ...QUICK,
    play: async (service) => {
      await two(service);
      const ended = await service.call("rollback");
      await serves(service, ended, 3);
      assert.equal(await answering(service), ["v1"]);
      const [third, second, first] = await service.history();
      assert.equal([third?.status, third?.kind, third?.of], ["live", "rollback", 1]);
      assert.equal([second?.status, first?.status], ["rolled-back", "superseded"]);
      assert.is(third?.reference, first?.reference);
    },
  },

  a_rollback_goes_to_a_tag_a_digest_or_a_number: {
    ...QUICK,
    play: async (service) => {
      const image = await stage.image("v1");
      const first = await service.call("deploy", { reference: image.tagged });
      await serves(service, first, 1);
      await service.use();
      await serves(service, await service.deploy("v2"), 2);
      await serves(service, await service.call("rollback", { targetTag: "v1" }), 3);
      const { digest } = await stage.image("v2");
      await serves(service, await service.call("rollback", { targetTag: digest }), 4);
      assert.equal(await answering(service), ["v2"]);
      await serves(service, await service.call("rollback", { targetTag: "1" }), 5);
      assert.equal(await answering(service), ["v1"]);
    },
  },

  a_rollback_to_what_is_live_is_an_error_that_says_so: {
    ...QUICK,
    play: async (service) => {
      await two(service);
      refused(await service.call("rollback", { targetTag: "2" }), /release 2 .* is what is live/);
      await isAlone(service, 2);
    },
  },

  a_rollback_of_the_first_release_has_nowhere_to_go: {
    ...QUICK,
    play: async (service) => {
      await service.start();
      refused(await service.call("rollback"), /no release that served before release 1/);
      await isAlone(service, 1);
    },
  },

  a_rollback_to_a_release_that_nobody_knows_names_those_that_served: {
    ...QUICK,
    play: async (service) => {
      await two(service);
      refused(
        await service.call("rollback", { targetTag: "9.9.9" }),
        /no release is "9\.9\.9".*Releases that served: 1 .*, 2 /,
      );
    },
  },

  a_release_that_cannot_be_taken_back_stops_a_rollback_and_says_why: {
    ...QUICK,
    play: async (service) => {
      await service.start();
      const irreversible = "the table of predictions was dropped";
      await service.configure({ deploy: { ...QUICK.deploy, irreversible } });
      await serves(service, await service.deploy("v2"), 2);
      refused(
        await service.call("rollback"),
        /the table of predictions was dropped \(deploy\.irreversible\)/,
      );
      await isAlone(service, 2);
    },
  },

  a_rollback_while_a_canary_waits_takes_that_away_first: {
    ...QUICK,
    play: async (service) => {
      await two(service);
      const reference = await service.reference("v1");
      assert.is((await service.call("deployCanary", { reference })).code, 0);
      await serves(service, await service.call("rollback"), 4);
      const [fourth, third] = await service.history();
      assert.equal([fourth?.of, third?.status], [1, "aborted"]);
    },
  },

  a_rollback_ends_a_delivery_that_is_under_way_and_then_goes_back: {
    ...QUICK,
    play: async (service) => {
      await two(service);
      await service.configure({ deploy: { steps: [{ weight: 20, pause: 60, analysis: false }] } });
      const delivering = service.deploy("v1");
      await service.until("first");
      await serves(service, await service.call("rollback"), 4);
      assert.is.not((await delivering).code, 0);
      const [fourth, third] = await service.history();
      assert.equal([fourth?.of, fourth?.status], [1, "live"]);
      assert.is.not(third?.status, "live");
      assert.equal(await answering(service), ["v1"]);
    },
  },

  a_rollback_after_a_failed_deployment_goes_back_from_what_is_live: {
    ...QUICK,
    play: async (service) => {
      await two(service);
      assert.is((await service.deploy("crash")).code, 1);
      await serves(service, await service.call("rollback"), 4);
      assert.equal(await answering(service), ["v1"]);
      refused(
        await service.call("rollback", { targetTag: "3" }),
        /release 3 never served \(failed/,
      );
    },
  },

  two_rollbacks_go_back_twice: {
    ...QUICK,
    play: async (service) => {
      await two(service);
      await service.configure({ deploy: { ...QUICK.deploy, environment: { STEP: "3" } } });
      await serves(service, await service.deploy("v2"), 3);
      await serves(service, await service.call("rollback"), 4);
      await serves(service, await service.call("rollback"), 5);
      assert.equal((await service.history()).map(({ of }) => of).slice(0, 2), [1, 2]);
      assert.equal(await answering(service), ["v1"]);
    },
  },

  a_rollback_restores_the_configuration_that_the_release_had: {
    ...QUICK,
    play: async (service) => {
      await service.start();
      await service.configure({
        deploy: { ...QUICK.deploy, environment: { MODE: "new" }, replicas: 3 },
      });
      await serves(service, await service.deploy("v2"), 2);
      await serves(service, await service.call("rollback"), 3);
      const path = "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].env}";
      const spec = await service.kubectl(["get", "deployment", "iris", `--output=${path}`]);
      assert.is(spec.trim(), "2");
    },
  },

  an_image_that_is_gone_from_the_registry_stops_a_rollback_before_it_begins: {
    ...QUICK,
    play: async (service) => {
      const registry = await startRegistry();
      try {
        service.registry = registry.address;
        const reference = await copyTo(registry.address, await stage.image("v1"));
        await serves(service, await service.call("deploy", { reference }), 1);
        await service.use();
      } finally {
        await registry.stop();
      }
      service.registry = (await stage.image("v2")).reference.split("/")[0] ?? "";
      await serves(service, await service.deploy("v2"), 2);
      refused(await service.call("rollback"), /not verified/);
      await isAlone(service, 2);
    },
  },

  a_release_whose_signature_nobody_knows_comes_back_only_without_verification: {
    ...QUICK,
    play: async (service) => {
      await two(service);
      // As if the key had been changed since.
      await service.configure({ files: { "cosign.pub": OTHER_KEY } });
      refused(await service.call("rollback"), /not verified/);
      await isAlone(service, 2);
      const forced = await service.call("rollback", { skipVerification: true });
      await serves(service, forced, 3);
      const [live] = await service.history();
      assert.match(live?.verified ?? "", /not verified: --skip-verification/);
    },
  },

  a_watch_ends_when_another_release_comes: {
    ...QUICK,
    play: async (service) => {
      await service.start();
      const looks = (): number =>
        stage.said.filter((line) => line.startsWith("release 1: ")).length;
      const before = looks();
      const watching = service.call("watch", { seconds: 300 });
      for (let tries = 0; tries < 300 && looks() === before; tries++) await sleep(200);
      const began = Date.now();
      await serves(service, await service.deploy("v2"), 2);
      refused(await watching, /Release 1 is not watched any more: release 2 is (on|live)/);
      assert.ok(Date.now() - began < 200_000, "it went on to its end");
      await isAlone(service, 2);
    },
  },

  a_watch_rolls_back_what_turns_bad: {
    ...QUICK,
    faulty: { "errors-50": 100 },
    play: async (service) => {
      await service.start();
      // It came through, since nothing was analysed.
      await serves(service, await service.deploy("errors-50"), 2);
      const watched = await service.call("watch", { seconds: 60 });
      assert.is(watched.code, 1, watched.text);
      assert.match(watched.text, /failed while it was watched: success/);
      await isAlone(service, 3);
      assert.equal(await answering(service), ["v1"]);
    },
  },
});

/** A key of nobody's. */
const OTHER_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEiIyi+ubtQzswcmpR0gWPj6nZacNY
5iIhzirtGGj9kZ8kLxEBtQ0Q/UjuLw0ScVLeCWt6AUMI9DxRU/LyB5hVAw==
-----END PUBLIC KEY-----
`;

test.run();
