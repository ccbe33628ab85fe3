// Somebody, or something, else changes the cluster while Slipway deploys.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { Faults } from "../../../ci/sandbox/cluster/faults.js";
import { plays } from "./support/cases.js";
import { isAlone, refused, serves, takenBack } from "./support/expect.js";
import type { Service } from "./support/service.js";
import { openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("the hands of others");
test.after(stage.close);

/** Time in which something can be done at the first weight. */
const CALM = { deploy: { steps: [{ weight: 20, pause: 6, analysis: false }] } };

async function pods(service: Service, track: string): Promise<string[]> {
  const selector = `--selector=slipway.dev/track=${track}`;
  const path = '--output=jsonpath={range .items[*]}{.metadata.name}{"\\n"}{end}';
  return (await service.kubectl(["get", "pods", selector, path])).trim().split("\n");
}

plays(test, stage, 3, {
  a_replica_count_that_somebody_else_owns_is_a_conflict_that_names_him: {
    play: async (service) => {
      await service.start();
      const scale = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "iris" } };
      await service.kubectl(
        ["apply", "--server-side", "--force-conflicts", "--field-manager=autopilot", "-f", "-"],
        { ...scale, spec: { replicas: 3 } },
      );
      const ended = await service.deploy("v2");
      refused(ended, /"autopilot" sets \.spec\.replicas/);
      const scene = await service.scene();
      assert.equal([scene?.stable, scene?.canary, scene?.weight], [1, 0, 0]);
    },
  },

  an_image_that_somebody_else_set_is_a_conflict_that_names_him: {
    play: async (service) => {
      await service.start();
      const image = await service.reference("v1");
      await service.kubectl(
        ["apply", "--server-side", "--force-conflicts", "--field-manager=by-hand", "-f", "-"],
        {
          ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "iris" } },
          spec: {
            selector: JSON.parse(
              await service.kubectl([
                "get",
                "deployment",
                "iris",
                "--output=jsonpath={.spec.selector}",
              ]),
            ) as object,
            template: {
              metadata: {
                labels: { "app.kubernetes.io/name": "iris", "slipway.dev/track": "stable" },
              },
              spec: { containers: [{ name: "service", image }] },
            },
          },
        },
      );
      const ended = await service.deploy("v2");
      refused(ended, /"by-hand" sets/);
    },
  },

  a_deployment_that_was_scaled_while_a_canary_waited_is_not_promoted_half: {
    ...CALM,
    play: async (service) => {
      await service.start();
      const reference = await service.reference("v2");
      const waiting = await service.call("deployCanary", { reference });
      assert.is(waiting.code, 0, waiting.text);
      await service.kubectl(["scale", "deployment", "iris", "--replicas=3"]);
      refused(await service.call("promote"), /"kubectl" sets \.spec\.replicas/);
      const scene = await service.scene();
      assert.equal([scene?.stable, scene?.canary, scene?.weight], [1, 2, 20]);
      // What he set is his; set to what it was, it is no conflict.
      await service.kubectl(["scale", "deployment", "iris", "--replicas=2"]);
      await serves(service, await service.call("promote"), 2);
    },
  },

  a_release_of_which_no_pod_is_left_is_replaced_without_a_canary: {
    play: async (service) => {
      // Nobody asks it: its requests would find no pod.
      await serves(service, await service.deploy("v1"), 1);
      await service.kubectl(["delete", "deployment", "iris", "--wait=true"]);
      await serves(service, await service.deploy("v2"), 2);
      assert.match(stage.said.join("\n"), /without a canary: no pod of release 1 is ready/);
    },
  },

  a_canary_that_is_deleted_in_the_middle_does_not_harm_stable: {
    ...CALM,
    play: async (service) => {
      await service.start();
      const deploying = service.deploy("v2");
      await service.until("applied");
      await service.kubectl(["delete", "deployment", "iris-canary"]);
      // It is made again, or given up: either way one release serves.
      const ended = await deploying;
      if (ended.code === 0) await serves(service, ended, 2);
      else await takenBack(service, ended, 1, /canary/);
    },
  },

  a_canary_whose_service_somebody_deleted_is_aborted: {
    // It waits without a share of the requests, which would find nobody.
    deploy: { strategy: "blue-green" },
    play: async (service) => {
      await service.start();
      const reference = await service.reference("v2");
      const waiting = await service.call("deployCanary", { reference });
      assert.is(waiting.code, 0, waiting.text);
      await service.kubectl(["delete", "service", "iris-canary"]);
      const aborted = await service.call("abort");
      assert.is(aborted.code, 0, aborted.text);
      await isAlone(service, 1);
      await serves(service, await service.deploy("v2"), 3);
    },
  },

  a_route_that_somebody_turned_to_the_canary_is_put_right: {
    ...CALM,
    play: async (service) => {
      await service.start();
      const deploying = service.deploy("v2");
      await service.until("first");
      const path = "/spec/rules/0/backendRefs";
      const patch = [
        { op: "replace", path: `${path}/0/weight`, value: 60 },
        { op: "replace", path: `${path}/1/weight`, value: 40 },
      ];
      await service.kubectl([
        "patch",
        "httproute",
        "iris",
        "--type=json",
        `--patch=${JSON.stringify(patch)}`,
      ]);
      const ended = await deploying;
      if (ended.code === 0) await serves(service, ended, 2);
      else assert.match(ended.text, /"kubectl-patch" sets/);
    },
  },

  a_pod_of_stable_that_is_evicted_costs_no_request: {
    ...CALM,
    play: async (service) => {
      await service.start();
      const deploying = service.deploy("v2");
      await service.until("first");
      const [pod = ""] = await pods(service, "stable");
      await new Faults(stage.cluster).evict(service.namespace, pod);
      await serves(service, await deploying, 2);
    },
  },

  the_only_pod_of_the_canary_that_is_evicted_ends_it_or_comes_again: {
    ...CALM,
    // Its own share finds no pod until it is taken back.
    faulty: { none: 10 },
    play: async (service) => {
      await service.start();
      const deploying = service.deploy("v2");
      await service.until("first");
      const [pod = ""] = await pods(service, "canary");
      await new Faults(stage.cluster).evict(service.namespace, pod);
      const ended = await deploying;
      if (ended.code === 0) await serves(service, ended, 2);
      else await takenBack(service, ended, 1, /no pod of the canary is ready/);
    },
  },

  a_deployment_that_slipway_did_not_make_is_not_taken_over: {
    play: async (service) => {
      const image = await service.reference("v1");
      await service.kubectl(["create", "deployment", "iris", `--image=${image}`]);
      const ended = await service.deploy("v1");
      assert.is(ended.code, 2, ended.text);
      assert.match(ended.text, /there is a Deployment iris that Slipway did not make/);
      const path = "--output=jsonpath={.metadata.labels}";
      assert.not.match(await service.kubectl(["get", "deployment", "iris", path]), /slipway/);
    },
  },

  a_stray_canary_of_nobody_is_swept_away_by_the_next_deployment: {
    play: async (service) => {
      await service.start();
      const text = await service.kubectl(["get", "service", "iris", "--output=json"]);
      const { spec } = JSON.parse(text) as { spec: { ports: object[] } };
      await service.kubectl(["apply", "-f", "-"], {
        apiVersion: "v1",
        kind: "Service",
        metadata: {
          name: "iris-canary",
          labels: { "app.kubernetes.io/name": "iris", "slipway.dev/track": "canary" },
        },
        spec: { ports: spec.ports, selector: { nobody: "here" } },
      });
      await serves(service, await service.deploy("v2"), 2);
    },
  },

  a_namespace_that_is_full_of_others_is_left_alone: {
    play: async (service) => {
      await service.start();
      const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "theirs" } };
      await service.kubectl(["apply", "-f", "-"], { ...config, data: { a: "b" } });
      await serves(service, await service.deploy("v2"), 2);
      assert.match(await service.kubectl(["get", "configmaps", "--output=name"]), /theirs/);
      await isAlone(service, 2);
    },
  },
});

test.run();
