import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";

import type { Credentials } from "./credentials.js";
import { PORTS } from "./network.js";

/** An object of the cluster, as it is sent. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** Milliseconds that an answer may take; a machine that builds beside it is slow. */
const PATIENCE = 60_000;

/** Where objects of the kinds that the sandbox makes itself are. */
const PLURALS: Record<string, string> = {
  CustomResourceDefinition: "customresourcedefinitions",
  EndpointSlice: "endpointslices",
  Gateway: "gateways",
  GatewayClass: "gatewayclasses",
  Namespace: "namespaces",
  Service: "services",
};

/** The API server, asked as the administrator over connections that are kept: a start asks often. */
export class Api {
  private constructor(
    readonly node: string,
    private readonly agent: Agent,
  ) {}

  static async connect(credentials: Credentials): Promise<Api> {
    const [ca, cert, key] = await Promise.all(
      ["ca.crt", "admin.crt", "admin.key"].map((file) => readFile(credentials.path(file))),
    );
    return new Api(credentials.node, new Agent({ ca, cert, key, keepAlive: true }));
  }

  /** The answer's status and text; 0 and the reason when there is none. */
  async ask(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; text: string }> {
    return await new Promise((resolve) => {
      const { agent, node: host } = this;
      const headers = { "content-type": "application/json" };
      const asked = request({
        agent,
        host,
        port: PORTS.api,
        method,
        path,
        headers,
        timeout: PATIENCE,
      });
      const fail = (error: Error): void => {
        resolve({ status: 0, text: error.message });
      };
      asked.once("timeout", () => asked.destroy(new Error(`no answer for ${PATIENCE / 1000} s`)));
      asked.once("error", fail);
      asked.once("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.once("error", fail);
        response.once("end", () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      });
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** An object or a list; undefined when it is not there. */
  async get<T>(path: string): Promise<T | undefined> {
    const { status, text } = await this.ask("GET", path);
    return status === 200 ? (JSON.parse(text) as T) : undefined;
  }

  /** Makes an object, unless it is there. */
  async create(object: KubeObject): Promise<void> {
    const { apiVersion, kind, metadata } = object;
    const plural = PLURALS[kind];
    if (plural === undefined) throw new Error(`${kind} is not in the table of plurals.`);
    const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const space = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
    const { status, text } = await this.ask("POST", `${group}${space}/${plural}`, object);
    if (status !== 201 && status !== 409)
      throw new Error(`${kind} ${metadata.name} cannot be made: ${status} ${text}`);
  }

  close(): void {
    this.agent.destroy();
  }
}
