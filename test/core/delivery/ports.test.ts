// Releases whose pods or Service have other ports than those before.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { deploy } from "../../../src/core/config/deploy.js";
import { renumbered, stableObjects } from "../../../src/core/delivery/changes.js";
import {
  objectsOf,
  portOf,
  type KubernetesObject,
} from "../../../src/core/delivery/objects/index.js";
import { field } from "../../../src/core/delivery/objects/shape.js";
import { podPort, portsApart, portsLost } from "../../../src/core/delivery/ports.js";
import type { ReleaseRecord } from "../../../src/core/delivery/types.js";
import { releaseOf } from "./releases.js";
import { inputs } from "./objects/inputs.js";

const test = suite("ports");

const GATEWAY = { route: { gateway: "web" } };

function released(
  number: number,
  objects: readonly KubernetesObject[],
  config: Record<string, unknown> = {},
): ReleaseRecord {
  const port = portOf(objects, "iris") ?? 0;
  return releaseOf(number, { objects, port, config: deploy.parse(config) });
}

/** A release of Slipway's own objects whose pods listen there. */
function made(number: number, port: number, config: Record<string, unknown> = {}): ReleaseRecord {
  return released(number, objectsOf(inputs({ ...config }, { port, servicePort: 8000 })), config);
}

interface Ports {
  readonly port: number;
  readonly targetPort?: number | string;
}

/** A release of the project's own manifests: its Service's ports, and those of its pods by name. */
function own(
  number: number,
  ports: readonly Ports[],
  named: Readonly<Record<string, number>> = {},
  config: Record<string, unknown> = {},
): ReleaseRecord {
  const containerPorts = Object.entries(named).map(([name, containerPort]) => ({
    ...{ name, containerPort },
  }));
  const labels = { app: "iris" };
  const container = { name: "web", image: "x", readinessProbe: {}, ports: containerPorts };
  const objects = objectsOf(
    inputs(config, {
      own: [
        {
          ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "iris" } },
          spec: {
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [container] } },
          },
        },
        {
          ...{ apiVersion: "v1", kind: "Service", metadata: { name: "iris" } },
          spec: { selector: labels, ports },
        },
      ],
    }),
  );
  return released(number, objects, config);
}

const policyPorts = (objects: readonly KubernetesObject[]): unknown =>
  objects
    .filter(({ kind }) => kind === "NetworkPolicy")
    .flatMap((policy) => field(policy, "spec", "ingress") as { ports: { port: number }[] }[])
    .map(({ ports }) => ports.map(({ port }) => port));

const ALONE = { weight: 0, exposed: false, leftovers: false };

for (const config of [{}, GATEWAY]) {
  const way = "route" in config ? "with_a_gateway" : "without_a_gateway";

  test(`has_a_canary_${way}_where_no_port_changes`, () => {
    assert.is(portsApart(made(1, 8000, config), made(2, 8000, config)), undefined);
    assert.is(portsLost(made(1, 8000, config), made(2, 8000, config), true), undefined);
  });

  test(`replaces_${way}_pods_that_listen_elsewhere_and_says_so`, () => {
    const [live, release] = [made(1, 8000, config), made(2, 8080, config)];
    assert.match(
      portsApart(live, release) ?? "",
      /listen on port 8080, those of release 1 on 8000/,
    );
    assert.is(portsLost(live, release, false), undefined, "its Service leads to each at its own");
    assert.is(release.port, live.port, "whoever asks goes on doing so");
  });

  test(`refuses_${way}_a_service_that_leads_to_no_pod_of_before`, () => {
    const live = own(1, [{ port: 80, targetPort: 8000 }], {}, config);
    const release = own(2, [{ port: 80, targetPort: 8080 }], {}, config);
    assert.ok(portsApart(live, release));
    const lost = portsLost(live, release, false);
    assert.match(lost?.why ?? "", /would lead to port 8080 .* release 1, .* have 8000 as 8000/);
    assert.match(
      lost?.instead ?? "",
      /targetPort be that name, and release that with 8000 before 8080/,
    );
  });

  test(`goes_${way}_the_way_that_the_refusal_tells`, () => {
    const numbered = own(1, [{ port: 80, targetPort: 8000 }], {}, config);
    const named = own(2, [{ port: 80, targetPort: "http" }], { http: 8000 }, config);
    const moved = own(3, [{ port: 80, targetPort: "http" }], { http: 8080 }, config);
    assert.is(portsApart(numbered, named), undefined);
    assert.is(portsLost(numbered, named, true), undefined);
    assert.ok(portsApart(named, moved));
    assert.is(portsLost(named, moved, false), undefined);
  });

  test(`refuses_${way}_a_service_without_the_port_that_requests_come_by`, () => {
    const [old, both, last] = [
      own(1, [{ port: 8000, targetPort: 9000 }], {}, config),
      own(
        2,
        [8080, 8000].map((port) => ({ port, targetPort: 9000 })),
        {},
        config,
      ),
      own(3, [{ port: 8080, targetPort: 9000 }], {}, config),
    ];
    const lost = portsLost(old, last, true);
    assert.match(lost?.why ?? "", /come by port 8000 of the Service, and it would have 8080 alone/);
    assert.match(lost?.instead ?? "", /Keep 8000 .* leave it out in a later release/);
    for (const [from, to] of [
      [old, both],
      [both, last],
    ] as const) {
      assert.is(portsApart(from, to), undefined);
      assert.is(portsLost(from, to, true), undefined);
    }
    assert.match(
      portsLost(old, both, false)?.why ?? "",
      /come by port 8080 of the Service, not by/,
    );
  });
}

test("refuses_without_a_gateway_a_port_of_another_name_which_the_live_service_does_not_know", () => {
  const live = own(1, [{ port: 80, targetPort: "http" }], { http: 8000 });
  const release = own(2, [{ port: 80, targetPort: "web" }], { web: 8000 });
  assert.match(portsApart(live, release) ?? "", /Service of release 1 does not lead to port 8000/);
  assert.match(portsLost(live, release, false)?.instead ?? "", /be the number 8000/);
  const [gated, renamed] = [
    own(1, [{ port: 80, targetPort: "http" }], { http: 8000 }, GATEWAY),
    own(2, [{ port: 80, targetPort: "web" }], { web: 8000 }, GATEWAY),
  ];
  assert.is(portsApart(gated, renamed), undefined, "each has a Service of its own");
  assert.is(portsLost(gated, renamed, true), undefined);
});

test("opens_the_port_of_both_while_one_replaces_the_other", () => {
  const [live, release] = [made(1, 8000), made(2, 8080)];
  assert.is(podPort(release), 8080);
  assert.equal(policyPorts(stableObjects(release, ALONE, live)), [[8080, 8000]]);
  assert.equal(policyPorts(stableObjects(live, ALONE, release)), [[8000, 8080]], "taken back");
  const back = { ...live, number: 3, objects: renumbered(live.objects, 3) };
  assert.equal(policyPorts(stableObjects(back, ALONE, release)), [[8000, 8080]], "rolled back");
  assert.equal(policyPorts(stableObjects(made(4, 8080), ALONE, release)), [[8080]]);
  assert.equal(policyPorts(stableObjects(release, ALONE, release)), [[8080]]);
});

test("opens_of_a_policy_of_the_project_only_what_opens_the_service", () => {
  const ingress = [
    { from: [{ podSelector: {} }], ports: [{ port: 8080 }] },
    { ports: [{ port: 9090 }] },
    { ports: [{ port: 7000, endPort: 8999 }] },
    { ports: [{ port: "http" }] },
    {},
  ];
  const policy: KubernetesObject = {
    ...{ apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "own" } },
    spec: { podSelector: {}, ingress },
  };
  const made2 = made(2, 8080);
  const release = { ...made2, objects: [...made2.objects, policy] };
  const applied = stableObjects(release, ALONE, made(1, 8000)).find(
    ({ metadata }) => metadata.name === "own",
  );
  assert.ok(applied);
  const [first, ...rest] = field(applied, "spec", "ingress") as unknown[];
  assert.equal(JSON.parse(JSON.stringify(first)), {
    from: [{ podSelector: {} }],
    ports: [{ port: 8080 }, { port: 8000 }],
  });
  assert.equal(rest, ingress.slice(1));
});

test.run();
