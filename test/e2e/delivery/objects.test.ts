// What is deployed other than by Slipway's own objects, and without a gateway.
import { setTimeout as sleep } from "node:timers/promises";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { plays, type Case } from "./support/cases.js";
import { answering, isAlone, refused, serves, takenBack } from "./support/expect.js";
import type { Service } from "./support/service.js";
import { openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("objects and routers");
test.after(stage.close);

const LABELS = { app: "iris" };

const DEPLOYMENT = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "iris" },
  spec: {
    replicas: 2,
    minReadySeconds: 1,
    selector: { matchLabels: LABELS },
    template: {
      metadata: { labels: LABELS },
      spec: {
        containers: [
          {
            name: "web",
            image: "will-be/replaced:by-slipway",
            ports: [{ containerPort: 8000 }],
            readinessProbe: { httpGet: { path: "/readyz", port: 8000 }, periodSeconds: 2 },
            envFrom: [{ configMapRef: { name: "iris-settings" } }],
          },
        ],
      },
    },
  },
};

const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "iris" },
  spec: { selector: LABELS, ports: [{ name: "http", port: 80, targetPort: 8000 }] },
};

const settings = (mode: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "iris-settings" },
  data: { MODE: mode },
});

/** Nothing measures pods here: it keeps to its bounds. */
const autoscaler = (minReplicas: number) => ({
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: { name: "iris" },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "iris" },
    ...{ minReplicas, maxReplicas: 4 },
    metrics: [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
      },
    ],
  },
});

/** YAML takes JSON. */
function manifests(...objects: readonly object[]): string {
  return objects.map((object) => JSON.stringify(object)).join("\n---\n");
}

const OWN = {
  deploy: { manifests: ["k8s"], steps: [{ weight: 20 }] },
  files: { "k8s/iris.yaml": manifests(DEPLOYMENT, SERVICE, settings("first")) },
} satisfies Omit<Case, "play">;

async function modeOf(service: Service): Promise<string> {
  return await service.kubectl([
    "get",
    "configmap",
    "iris-settings",
    "--output=jsonpath={.data.MODE}",
  ]);
}

/** Without a gateway of its own; the outside comes through a route that somebody else made. */
const BY_PODS = { route: { gateway: undefined }, deploy: { steps: [{ weight: 10 }] } };

/** A route of the platform's to the service, whatever pods that has. */
async function openOutside(service: Service, port = 8000): Promise<void> {
  await service.kubectl(["apply", "-f", "-"], {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "outside" },
    spec: {
      parentRefs: [{ name: "contour", namespace: "projectcontour" }],
      hostnames: [service.host],
      rules: [{ backendRefs: [{ name: "iris", port }] }],
    },
  });
  await service.use();
}

plays(test, stage, 3, {
  manifests_of_the_project_are_canaried_with_their_settings: {
    ...OWN,
    play: async (service) => {
      await service.start();
      await service.configure({
        files: { "k8s/iris.yaml": manifests(DEPLOYMENT, SERVICE, settings("second")) },
      });
      const deploying = service.deploy("v2");
      await service.until("first");
      // The canary has its own copy: stable reads the old one until it is replaced.
      assert.is(await modeOf(service), "first");
      await serves(service, await deploying, 2);
      assert.is(await modeOf(service), "second");
    },
  },

  a_rollback_restores_manifests_and_forgets_what_they_do_not_have: {
    ...OWN,
    deploy: { ...OWN.deploy, steps: [{ weight: 50, analysis: false }] },
    play: async (service) => {
      await service.start();
      const extra = { ...settings("x"), metadata: { name: "iris-extra" } };
      await service.configure({
        files: { "k8s/iris.yaml": manifests(DEPLOYMENT, SERVICE, settings("second"), extra) },
      });
      await serves(service, await service.deploy("v2"), 2);
      await serves(service, await service.call("rollback"), 3);
      assert.is(await modeOf(service), "first");
      assert.not.match(await service.kubectl(["get", "configmaps", "--output=name"]), /iris-extra/);
      assert.equal(await answering(service), ["v1"]);
    },
  },

  what_a_release_has_no_more_goes_when_it_is_live_and_not_before: {
    ...OWN,
    deploy: { ...OWN.deploy, steps: [{ weight: 50 }] },
    faulty: { "errors-50": 60 },
    play: async (service) => {
      const named = (name: string) => ({ ...settings("x"), metadata: { name } });
      const files = (...more: object[]) => ({
        "k8s/iris.yaml": manifests(DEPLOYMENT, SERVICE, settings("first"), ...more),
      });
      const there = async (): Promise<string[]> => {
        const names = await service.kubectl(["get", "configmaps", "--output=name"]);
        return ["iris-extra", "by-hand"].filter((name) => names.includes(name));
      };
      await service.configure({ files: files(named("iris-extra")) });
      await service.start();
      await service.kubectl(["apply", "-f", "-"], named("by-hand"));
      await service.configure({ files: files() });
      await takenBack(service, await service.deploy("errors-50"), 1, /analysis at 50 % failed/);
      assert.equal(await there(), ["iris-extra", "by-hand"]);
      await serves(service, await service.deploy("v2"), 3);
      assert.equal(await there(), ["by-hand"]);
    },
  },

  a_deployment_that_is_refused_takes_back_the_objects_that_were_not: {
    ...OWN,
    deploy: { ...OWN.deploy, steps: [{ weight: 50, pause: 10, analysis: false }] },
    play: async (service) => {
      await service.start();
      const extra = { ...settings("x"), metadata: { name: "iris-extra" } };
      await service.configure({
        files: { "k8s/iris.yaml": manifests(DEPLOYMENT, SERVICE, settings("second"), extra) },
      });
      const deploying = service.deploy("v2");
      await service.until("first");
      await service.kubectl(["scale", "deployment", "iris", "--replicas=3"]);
      await takenBack(service, await deploying, 1, /"kubectl" sets \.spec\.replicas/);
      assert.is(await modeOf(service), "first");
      assert.not.match(await service.kubectl(["get", "configmaps", "--output=name"]), /iris-extra/);
    },
  },

  a_kustomization_is_deployed_as_kubectl_builds_it: {
    deploy: { kustomization: "k8s/live", steps: [{ weight: 20, analysis: false }] },
    files: {
      "k8s/base/iris.yaml": manifests(DEPLOYMENT, SERVICE, settings("base")),
      "k8s/base/kustomization.yaml": "resources: [iris.yaml]\n",
      "k8s/live/kustomization.yaml":
        "resources: [../base]\nreplicas: [{ name: iris, count: 3 }]\ncommonAnnotations: { team: flowers }\n",
    },
    play: async (service) => {
      await service.start();
      await serves(service, await service.deploy("v2"), 2);
      const path = "--output=jsonpath={.spec.replicas} {.metadata.annotations.team}";
      assert.is(await service.kubectl(["get", "deployment", "iris", path]), "3 flowers");
    },
  },

  manifests_that_cannot_be_canaried_are_refused_with_the_reason: {
    ...OWN,
    files: { "k8s/iris.yaml": manifests({ ...DEPLOYMENT, kind: "StatefulSet" }, SERVICE) },
    play: async (service) => {
      refused(await service.deploy("v1"), /a StatefulSet cannot have a canary beside it/);
      assert.is(await service.kubectl(["get", "all", "--output=name"]), "");
    },
  },

  manifests_that_the_cluster_does_not_take_change_nothing: {
    ...OWN,
    play: async (service) => {
      await service.start();
      const odd = { ...settings("x"), data: { "not a key": "x" } };
      await service.configure({ files: { "k8s/iris.yaml": manifests(DEPLOYMENT, SERVICE, odd) } });
      const ended = await service.deploy("v2");
      assert.is.not(ended.code, 0);
      assert.match(ended.text, /not a key/);
      await isAlone(service, 1);
    },
  },

  pods_that_listen_elsewhere_replace_those_of_before_and_go_back: {
    play: async (service) => {
      await service.start();
      await service.configure({
        deploy: { environment: { PORT: "8080" } },
        more: { build: { port: 8080 } },
      });
      const said = stage.said.length;
      await serves(service, await service.deploy("v2"), 2);
      assert.match(
        stage.said.slice(said).join("\n"),
        /goes without a canary: its pods listen on port 8080, those of release 1 on 8000/,
      );
      assert.equal(await answering(service), ["v2"]);
      await serves(service, await service.call("rollback"), 3);
      assert.equal(await answering(service), ["v1"]);
    },
  },

  a_service_that_would_lead_past_the_pods_of_before_is_refused: {
    ...OWN,
    play: async (service) => {
      await service.start();
      const ports = [{ name: "http", port: 80, targetPort: 8080 }];
      const moved = { ...SERVICE, spec: { selector: LABELS, ports } };
      await service.configure({
        files: { "k8s/iris.yaml": manifests(DEPLOYMENT, moved, settings("second")) },
      });
      refused(await service.deploy("v2"), /Service would lead to port 8080 of the pods/);
      await isAlone(service, 1);
    },
  },

  an_autoscaler_comes_and_goes_and_the_number_of_pods_stays: {
    ...OWN,
    deploy: { ...OWN.deploy, steps: [{ weight: 50, analysis: false }] },
    play: async (service) => {
      const scaledBy = (minReplicas: number) => ({
        files: {
          "k8s/iris.yaml": manifests(
            DEPLOYMENT,
            SERVICE,
            settings("first"),
            autoscaler(minReplicas),
          ),
        },
      });
      const pods = async (): Promise<string> =>
        await service.kubectl(["get", "deployment", "iris", "--output=jsonpath={.spec.replicas}"]);
      await service.start();
      await service.configure(scaledBy(1));
      await serves(service, await service.deploy("v2"), 2);
      assert.is(await pods(), "2");
      await service.configure(scaledBy(3));
      assert.is((await service.deploy("v1")).code, 0);
      for (let tries = 0; tries < 120 && (await pods()) !== "3"; tries++) await sleep(500);
      assert.is(await pods(), "3", "the autoscaler has the number");
      // Without it there are two in the manifests, and three are taken over.
      await service.configure({ files: OWN.files });
      assert.equal(await service.complaints("v2"), []);
      await serves(service, await service.call("rollback", { targetTag: "1" }), 4);
      assert.is(await pods(), "3");
      assert.is(await service.kubectl(["get", "hpa", "--output=name"]), "");
    },
  },

  without_a_gateway_whole_pods_are_the_weight_and_the_real_one_is_said: {
    ...BY_PODS,
    play: async (service) => {
      await serves(service, await service.deploy("v1"), 1);
      await openOutside(service);
      const said = stage.said.length;
      await serves(service, await service.deploy("v2"), 2);
      // One pod beside two: a third, however little was asked for.
      assert.match(stage.said.slice(said).join("\n"), /10 % \(really 33\.33 %, by whole pods\)/);
      const [live] = await service.history();
      assert.equal(
        live?.steps.map(({ weight, percent }) => [weight, percent]),
        [[10, 33.33]],
      );
      assert.equal(await answering(service), ["v2"]);
    },
  },

  without_a_gateway_a_bad_canary_is_taken_back_too: {
    ...BY_PODS,
    faulty: { "errors-50": 40 },
    play: async (service) => {
      await serves(service, await service.deploy("v1"), 1);
      await openOutside(service);
      await takenBack(
        service,
        await service.deploy("errors-50"),
        1,
        /the analysis at 10 % failed: success/,
      );
      assert.equal(await answering(service), ["v1"]);
    },
  },

  without_a_gateway_manifests_of_the_project_are_canaried_and_taken_back: {
    ...OWN,
    ...BY_PODS,
    deploy: { manifests: ["k8s"], steps: [{ weight: 10 }] },
    faulty: { "errors-50": 40 },
    play: async (service) => {
      await serves(service, await service.deploy("v1"), 1);
      await openOutside(service, 80);
      // Its Service selects by a label of the project's own.
      await takenBack(
        service,
        await service.deploy("errors-50"),
        1,
        /the analysis at 10 % failed: success/,
      );
      assert.equal(await answering(service), ["v1"]);
      await serves(service, await service.deploy("v2"), 3);
      const [live] = await service.history();
      assert.equal(
        live?.steps.map(({ weight, percent }) => [weight, percent]),
        [[10, 33.33]],
      );
      assert.equal(await answering(service), ["v2"]);
    },
  },

  a_gateway_that_is_configured_later_is_taken_into_use_without_a_canary: {
    ...BY_PODS,
    play: async (service) => {
      await serves(service, await service.deploy("v1"), 1);
      await openOutside(service);
      // Two routes of one name would contradict each other.
      const hostnames = [`new-${service.host}`];
      await service.configure({ route: { gateway: "projectcontour/contour", hostnames } });
      const ended = await service.deploy("v2");
      await serves(service, ended, 2);
      assert.match(stage.said.join("\n"), /requests come another way from now on/);
    },
  },
});

test.run();
