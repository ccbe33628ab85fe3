import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import type { Variant } from "../../../../ci/sandbox/service.js";
import { startTraffic, type Traffic, type TrafficCounts } from "../../../../ci/sandbox/traffic.js";
import type { ReleaseRecord } from "../../../../src/core/delivery/types.js";
import type { Slipway } from "../../../../src/index.js";
import { scratch, write, type Scratch } from "../../support/project.js";
import {
  callModule,
  complaintsOf,
  moduleFor,
  type Arguments,
  type Ended,
  type FunctionName,
} from "./module.js";
import { look, moment, MOMENTS, type Moment, type Scene } from "./moments.js";
import { publicKey, REGISTRY, type Stage } from "./stage.js";
import { slipwayTables, type Table } from "./toml.js";

export interface ServiceOptions {
  readonly deploy?: Table;
  readonly route?: Table;
  readonly analysis?: Table;
  /** Further tables of `[tool.slipway]`. */
  readonly more?: Table;
  /** Further files of the project. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Name of every case's service; its namespace tells it from the others. */
const NAME = "iris";

const FLOWER = { sepal_length: 6.1, sepal_width: 2.9, petal_length: 4.7, petal_width: 1.4 };

/** Thirty different flowers, of which the second species' are told by their petals. */
const REQUESTS = Array.from({ length: 30 }, (_, index) => {
  const flower = { ...FLOWER, sepal_length: 5 + index / 10, petal_width: 1.2 + index / 30 };
  return JSON.stringify({ method: "POST", path: "/predict", body: { instances: [flower] } });
}).join("\n");

/** One service in a namespace of its own, with a project's folder and somebody who uses it. */
export class Service {
  readonly name = NAME;
  readonly host: string;
  /** Path of the kubeconfig that is given to the functions. */
  kubeconfig: string;
  /** Registry on loopback that the functions reach. */
  registry = REGISTRY;
  #traffic: Traffic | undefined;
  /** Times that the project was written. */
  #configured = 0;
  #made: { readonly key: string; readonly module: Slipway } | undefined;

  private constructor(
    readonly stage: Stage,
    readonly namespace: string,
    readonly folder: Scratch,
    private readonly options: ServiceOptions,
  ) {
    this.host = `${namespace}.test`;
    this.kubeconfig = stage.cluster.kubeconfig;
  }

  /** Makes namespace and project; nothing is deployed. */
  static async make(stage: Stage, options: ServiceOptions = {}): Promise<Service> {
    const namespace = `e2e-${randomBytes(4).toString("hex")}`;
    const folder = await scratch();
    const service = new Service(stage, namespace, folder, options);
    await Promise.all([
      stage.cluster.kubectl(["create", "namespace", namespace]),
      service.configure({}),
    ]);
    await service.account();
    return service;
  }

  /** Waits for the account that pods run as: after an outage it takes the cluster a while to make one. */
  private async account(): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/serviceaccounts/default`;
    for (let tries = 0; tries < 600; tries++) {
      if (await this.stage.api.get(path)) return;
      await sleep(200);
    }
    throw new Error(`The namespace ${this.namespace} got no service account.`);
  }

  /** Writes the project anew, with further configuration over that of the beginning. */
  async configure(over: ServiceOptions): Promise<void> {
    this.#configured += 1;
    const of = (key: "deploy" | "route" | "analysis" | "more") => ({
      ...this.options[key],
      ...over[key],
    });
    const tables: Table = {
      deploy: {
        ...{ namespace: this.namespace, name: NAME, replicas: 2, drain: 2, keep: 1, deadline: 300 },
        steps: [{ weight: 20 }, { weight: 60, analysis: false }],
        route: { gateway: "projectcontour/contour", hostnames: [this.host], ...of("route") },
        resources: { cpu: "10m", memory: "32Mi" },
        ...of("deploy"),
      },
      analysis: {
        ...{
          requests: "requests.jsonl",
          rate: 12,
          duration: 5,
          warmup: 0,
          minimum: 40,
          timeout: 30,
        },
        // Only the cases that are about it look at time: others may run on a machine with much to do.
        latency: { margin: 10_000, floor: 10_000 },
        predictions: { value: "$.predictions[*].species" },
        ...of("analysis"),
      },
      verify: { predicates: [] },
      ...of("more"),
    };
    await write(this.folder.path, {
      "pyproject.toml": `[project]\nname = "${NAME}"\nversion = "1.0.0"\nrequires-python = ">=3.11"\n\n${slipwayTables(tables)}`,
      "requests.jsonl": `${REQUESTS}\n`,
      "cosign.pub": await publicKey(this.stage.keys),
      ...this.options.files,
      ...over.files,
    });
  }

  /** Calls a function of the module; an error is an answer too. */
  async call(name: FunctionName, given: Arguments = {}): Promise<Ended> {
    const kubeconfig = await readFile(this.kubeconfig, "utf8");
    return await callModule(await this.#module(), name, given, kubeconfig);
  }

  /** What `validate` finds wrong with a deployment of a variant, as `check: found`. */
  async complaints(variant: Variant): Promise<string[]> {
    const kubeconfig = await readFile(this.kubeconfig, "utf8");
    return await complaintsOf(await this.#module(), await this.reference(variant), kubeconfig);
  }

  /** The module for the project as it is, made anew when that was written anew. */
  async #module(): Promise<Slipway> {
    const key = `${this.registry} ${this.#configured}`;
    if (this.#made?.key !== key)
      this.#made = { key, module: await moduleFor(this.folder.path, this.registry) };
    return this.#made.module;
  }

  /** Deploys a variant of the service. */
  async deploy(variant: Variant, given: Arguments = {}): Promise<Ended> {
    return await this.call("deploy", { reference: await this.reference(variant), ...given });
  }

  async reference(variant: Variant): Promise<string> {
    return (await this.stage.image(variant)).reference;
  }

  /** Deploys the first release, and lets somebody use it from then on. */
  async start(variant: Variant = "v1"): Promise<void> {
    const ended = await this.deploy(variant);
    if (ended.code !== 0) throw new Error(`The first release was not deployed:\n${ended.text}`);
    await this.use();
  }

  /** Somebody begins to use the service, from when the gateway knows of it. */
  async use(path = "/predict"): Promise<void> {
    const { gateway } = this.stage.cluster;
    const body = path === "/predict" ? { instances: [FLOWER] } : undefined;
    for (let tries = 0; tries < 100; tries++) {
      const asked = await this.ask().catch(() => undefined);
      if (asked?.status === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    this.#traffic = startTraffic({
      ...{ url: `${gateway}${path}`, host: this.host, connections: 2, pause: 50 },
      ...(body && { body }),
      timeout: 60_000,
    });
  }

  /** Status of one request to the service, and the release that answered it. */
  async ask(
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; release: string }> {
    const once = startTraffic({
      url: `${this.stage.cluster.gateway}/version`,
      ...{ host: this.host, connections: 1, headers },
    });
    const { status, releases } = await once.stop();
    const [code = "0"] = Object.keys(status);
    const [release = "none"] = Object.keys(releases);
    return { status: Number(code), release };
  }

  /** What came of the requests so far. */
  get counts(): TrafficCounts | undefined {
    return this.#traffic?.counts;
  }

  /** The requests end; gives what came of them. */
  async rest(): Promise<TrafficCounts | undefined> {
    return await this.#traffic?.stop();
  }

  /** What is there now; undefined when the API server does not say. */
  async scene(): Promise<Scene | undefined> {
    return await look(this.stage.api, this.namespace, NAME);
  }

  /** Waits for a moment of a deployment. */
  async until(name: Moment): Promise<Scene> {
    return await moment(() => this.scene(), MOMENTS[name], `the moment "${name}"`);
  }

  /** What kubectl prints of the service's namespace. */
  async kubectl(args: readonly string[], input?: string | object): Promise<string> {
    return await this.stage.cluster.kubectl(["--namespace", this.namespace, ...args], input);
  }

  /** The releases that the cluster keeps, the newest first. */
  async history(): Promise<Omit<ReleaseRecord, "objects">[]> {
    const { code, text, json } = await this.call("history");
    if (code !== 0) throw new Error(text);
    return JSON.parse(json) as Omit<ReleaseRecord, "objects">[];
  }

  /** Ends the requests and deletes the namespace, without waiting for that. */
  async forget(): Promise<void> {
    await this.rest();
    await this.stage.cluster.kubectl(["delete", "namespace", this.namespace, "--wait=false"]);
    await this.folder.forget();
  }
}
