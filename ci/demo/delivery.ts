import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Cluster } from "../sandbox/cluster/cluster.js";
import { registryAddress } from "../sandbox/registry.js";
import { failuresOf, startTraffic } from "../sandbox/traffic.js";
import { slipway } from "./terminal.js";

const NAMESPACE = "iris";
const HOST = "iris.example";

/** What a project has in its pyproject.toml; the times are shorter than in production, so that it can be watched. */
const SETTINGS = {
  SLIPWAY_DEPLOY_NAMESPACE: NAMESPACE,
  SLIPWAY_DEPLOY_ROUTE_GATEWAY: "projectcontour/contour",
  SLIPWAY_DEPLOY_ROUTE_HOSTNAMES: HOST,
  SLIPWAY_DEPLOY_KEEP: "5",
  SLIPWAY_ANALYSIS_DURATION: "8",
};

interface Setup {
  /** For what is not to stay. */
  readonly folder: string;
  /** trivy's database. */
  readonly database: string;
  readonly advisories: string;
}

/** The demo's own key, registry, cluster and client. */
export class Delivery {
  /** Of this run alone: a release tag keeps its content, and another state of the example has another. */
  readonly repository = `${registryAddress()}/demo-${randomBytes(3).toString("hex")}/iris-random-forest`;
  readonly #password = randomBytes(16).toString("hex");
  readonly #setup: Setup;
  #cluster: Cluster | undefined;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** The key lives as long as the demo. */
  async makeKeys(): Promise<void> {
    await slipway(["keys", "generate", `--folder=${this.#setup.folder}`], {
      env: { COSIGN_PASSWORD: this.#password },
    });
  }

  async release(source: string, version: string): Promise<void> {
    const { advisories, database, folder } = this.#setup;
    await slipway(
      [
        "release",
        `--source=${source}`,
        `--repository=${this.repository}`,
        `--tags=${version}`,
        `--advisories=${advisories}`,
        `--database=${database}`,
      ],
      {
        env: {
          COSIGN_PASSWORD: this.#password,
          COSIGN_PRIVATE_KEY: await readFile(join(folder, "cosign.key"), "utf8"),
        },
      },
    );
  }

  /** From here on, things are in this cluster. */
  async enter(cluster: Cluster): Promise<void> {
    this.#cluster = cluster;
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
    const shown = Object.entries(SETTINGS).map(([name, value]) => `   ${name}=${value}`);
    console.log(["   The deployments below are configured by", ...shown].join("\n"));
  }

  /** @param expect The exit code. */
  async deploy(source: string, version: string, expect = 0): Promise<void> {
    const reference = `--reference=${this.repository}:${version}`;
    await this.#run(["deploy", `--source=${source}`, reference, this.#key()], expect);
  }

  /** What is there, and how it came. */
  async tell(source: string): Promise<void> {
    await this.#run(["status", `--source=${source}`]);
    await this.#run(["history", `--source=${source}`]);
  }

  /** Does it while a client asks for predictions, and tells how that went for the client. */
  async watched(work: () => Promise<void>): Promise<void> {
    const traffic = startTraffic({
      url: `${this.#entered().gateway}/predict`,
      host: HOST,
      body: {
        instances: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }],
      },
      pause: 20,
    });
    try {
      await work();
    } finally {
      const counts = await traffic.stop();
      const failed = failuresOf(counts);
      const share = ((100 * failed) / Math.max(1, counts.requests)).toFixed(1);
      console.log(
        `   The client sent ${counts.requests} requests; ${failed === 0 ? "none failed" : `${failed} failed (${share} %)`}.`,
      );
    }
  }

  #key(): string {
    return `--public-key=${join(this.#setup.folder, "cosign.pub")}`;
  }

  #entered(): Cluster {
    if (!this.#cluster) throw new Error("There is no cluster yet.");
    return this.#cluster;
  }

  async #run(args: readonly string[], expect = 0): Promise<void> {
    await slipway(args, {
      env: { ...SETTINGS, KUBECONFIG: this.#entered().kubeconfig },
      expect,
    });
  }
}
