import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import * as assert from "uvu/assert";

import { QueryError } from "../../../ci/cli/session/query.js";
import type { Cluster } from "../../../ci/sandbox/cluster/cluster.js";
import { registryAddress } from "../../../ci/sandbox/registry.js";
import { signedServiceImage, type Variant } from "../../../ci/sandbox/service.js";
import {
  failuresOf,
  startTraffic,
  type Traffic,
  type TrafficCounts,
} from "../../../ci/sandbox/traffic.js";
import { ofForm } from "../../forms.js";
import { slipway } from "./checks.js";
import { makeKeys, PASSWORD, secret, type Keys } from "./evidence.js";
import { recordedFlowers } from "./flowers.js";
import { write } from "./project.js";
import { openSession, type Session } from "./session.js";

/** A release as the module tells of it. */
export interface Told {
  readonly release: number;
  readonly state: string;
  readonly reference: string;
  readonly table: string;
  readonly json: string;
}

/** How a call ended that was not done. */
export interface Refused {
  readonly code: number;
  readonly text: string;
}

/** What is there of a service, asked of the cluster without Slipway. */
export interface There {
  /** Names of its Deployments and Services, without the kinds. */
  readonly deployments: string[];
  readonly services: string[];
  /** Weights of the route's backends, by name. */
  readonly weights: Readonly<Record<string, number>>;
  /** Number, status and generation of the stable Deployment. */
  readonly releases: Readonly<Record<number, string>>;
  readonly generation: number;
}

/** How a service is delivered. */
export interface Manner {
  /** Whether requests come through the gateway. @default true */
  readonly gateway?: boolean;
  /** Further keys of `[tool.slipway.deploy]`. @default a canary of 10, 50 and 100 % */
  readonly deploy?: string;
  /** Further keys of `[tool.slipway.deploy.route]`. */
  readonly route?: string;
}

const STEPS = "steps = [{ weight = 10 }, { weight = 50 }, { weight = 100 }]";

/** Quick, and judged by few requests. */
function pyproject(
  namespace: string,
  { gateway = true, deploy = STEPS, route = "" }: Manner,
): string {
  return `[project]
name = "iris"
version = "1.0.0"
requires-python = ">=3.11"

[tool.slipway.model]
enabled = false

[tool.slipway.verify]
predicates = []

[tool.slipway.analysis]
duration = 5
requests = "requests.jsonl"

[tool.slipway.deploy]
namespace = "${namespace}"
replicas = 2
drain = 3
keep = 3
deadline = 90
${deploy}

[tool.slipway.deploy.route]
${gateway ? 'gateway = "projectcontour/contour"' : ""}
hostnames = ["${namespace}.example"]
${route}
`;
}

/** Who calls, and how. */
interface CallOptions {
  /** Another client than the test's own. */
  readonly session?: Session;
  /** Configuration that wins. */
  readonly set?: readonly string[];
  /** Path of another kubeconfig than the administrator's. */
  readonly kubeconfig?: string;
}

/** A service in a namespace of its own, delivered through a session, with a client that never stops asking. */
export class Delivered {
  private traffic: Traffic | undefined;

  private constructor(
    readonly session: Session,
    readonly cluster: Cluster,
    readonly folder: string,
    readonly namespace: string,
    readonly keys: Keys,
  ) {}

  static async make(
    session: Session,
    cluster: Cluster,
    folder: string,
    namespace: string,
    manner: Manner = {},
  ): Promise<Delivered> {
    const project = join(folder, namespace);
    const keys = await makeKeys(join(folder, `${namespace}-keys`));
    await write(project, {
      "pyproject.toml": pyproject(namespace, manner),
      "iris/__init__.py": "",
      "cosign.pub": keys.publicKey,
      "requests.jsonl": recordedFlowers(20),
    });
    await cluster.kubectl(["create", "namespace", namespace]);
    return new Delivered(session, cluster, project, namespace, keys);
  }

  /** An image of the test service, signed with this service's key. */
  async image(variant: Variant): Promise<string> {
    const key = join(this.keys.folder, "cosign.key");
    return (await signedServiceImage(variant, { key, password: PASSWORD })).reference;
  }

  /** Calls a function; gives what it tells. Rejects with what the engine says when it is not done. */
  async call(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
    { session = this.session, set = [], kubeconfig = this.cluster.kubeconfig }: CallOptions = {},
  ): Promise<Told> {
    const config = await readFile(kubeconfig, "utf8");
    const kubeConfig = await secret(session, config);
    const given: Record<string, unknown> = { ...args, kubeConfig };
    const module = await slipway(session, this.folder, { registry: registryAddress(), set });
    const fields = Object.entries(given)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
    const answer = await session.query<{ slipway: Partial<Record<string, Told>> }>(
      `{ ${module} { ${name}(${fields.join(", ")}) { release state reference table json } } }`,
    );
    const told = answer.slipway[name];
    if (told === undefined) throw new Error(`${name} answered nothing`);
    ofForm(name === "status" || name === "history" ? name : "delivery", told.json);
    return told;
  }

  /** Calls a function that does not get through; gives the code that its caller's process ends with. */
  async refused(...args: Parameters<Delivered["call"]>): Promise<Refused> {
    try {
      const told = await this.call(...args);
      throw new Error(`it was done: ${told.table}`);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      const { exitCode, stderr } = error.extensions as { exitCode?: number; stderr?: string };
      return { code: exitCode ?? -1, text: stderr ?? error.message };
    }
  }

  /** Lets a client of its own begin; the call goes on until `until` holds, then its engine is killed. */
  async killed(
    name: string,
    args: Readonly<Record<string, unknown>>,
    until: (there: There) => boolean,
  ): Promise<void> {
    const session = await openSession();
    await session.serve();
    const ended = this.call(name, args, { session }).then(
      (told) => `it was done: ${told.table}`,
      (error: unknown) => (error as Error).message,
    );
    let early: string | undefined;
    void ended.then((text) => (early = text));
    while (!until(await this.look())) {
      if (early !== undefined) throw new Error(`it ended before it was killed: ${early}`);
      await sleep(100);
    }
    process.kill(session.pid, "SIGKILL");
    await ended;
  }

  /** What is there. */
  async look(): Promise<There> {
    interface Item {
      kind: string;
      metadata: { name: string; generation?: number; labels?: Record<string, string> };
      spec?: { rules?: { backendRefs?: { name: string; weight?: number }[] }[] };
    }
    const kinds = "deployments,services,secrets,httproutes.gateway.networking.k8s.io";
    const text = await this.cluster.kubectl([
      ...["get", kinds, "--namespace", this.namespace, "--output=json"],
    ]);
    const { items } = JSON.parse(text) as { items: Item[] };
    const named = (kind: string) =>
      items
        .filter((item) => item.kind === kind)
        .map(({ metadata }) => metadata.name)
        .sort();
    const route = items.find(({ kind }) => kind === "HTTPRoute");
    const refs = route?.spec?.rules?.at(-1)?.backendRefs ?? [];
    const secrets = items.filter(
      ({ kind, metadata }) => kind === "Secret" && metadata.labels?.owner === "slipway",
    );
    const stable = items.find(
      ({ kind, metadata }) => kind === "Deployment" && metadata.name === "iris",
    );
    return {
      deployments: named("Deployment"),
      services: named("Service"),
      weights: Object.fromEntries(refs.map((each) => [each.name, each.weight ?? 1])),
      releases: Object.fromEntries(
        secrets.map(({ metadata: { labels = {} } }) => [
          Number(labels.version),
          labels.status ?? "",
        ]),
      ),
      generation: stable?.metadata.generation ?? 0,
    };
  }

  /** A client asks for predictions through the gateway from now on. */
  ask(): void {
    this.traffic = startTraffic({
      url: `${this.cluster.gateway}/predict`,
      host: `${this.namespace}.example`,
      connections: 4,
      pause: 20,
      body: {
        instances: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }],
      },
    });
  }

  /** Which release answers a request with these headers. */
  async answering(headers: Readonly<Record<string, string>>): Promise<string | undefined> {
    const host = `${this.namespace}.example`;
    return await new Promise((resolve, reject) => {
      const sent = request(`${this.cluster.gateway}/version`, { headers: { ...headers, host } });
      sent.once("error", reject);
      sent.once("response", (response) => {
        response.resume();
        const release = response.headers["x-release"];
        resolve(typeof release === "string" ? release : undefined);
      });
      sent.end();
    });
  }

  /** What came of the requests since the last time. */
  asked(): TrafficCounts {
    if (!this.traffic) throw new Error("nobody asks");
    return this.traffic.restart();
  }

  /** Fails unless one Deployment and one Service are left, and all requests go there. */
  async isClean(): Promise<void> {
    const { deployments, services, weights } = await this.look();
    assert.equal(deployments, ["iris"]);
    assert.equal(services, ["iris"]);
    assert.ok(!("iris-canary" in weights), "the route names the canary");
  }

  /**
   * Fails when a request failed since the last time, but for those that releases answered with errors
   * which are not named here; gives what was counted.
   */
  noneFailed(...well: string[]): TrafficCounts {
    const counts = this.asked();
    const told = JSON.stringify({ ...counts, failures: counts.failures.slice(0, 5) });
    assert.ok(counts.requests > 50, told);
    const bad = Object.entries(counts.failed).filter(
      ([release]) => release === "none" || well.includes(release),
    );
    assert.equal(bad, [], told);
    const { requests, releases } = counts;
    console.log(
      `      ${requests} requests, ${failuresOf(counts)} failed; by release ${JSON.stringify(releases)}`,
    );
    return counts;
  }

  async close(): Promise<void> {
    await this.traffic?.stop();
  }
}
