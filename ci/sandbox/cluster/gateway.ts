import { readdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { parseAllDocuments } from "yaml";

import { cachePath, makeFolder, withLock } from "../cache.js";
import { run } from "../run.js";
import { TOOLS } from "../tools.js";
import type { Component, Setting } from "./components.js";
import { PORTS } from "./network.js";

const GATEWAY_API = "v1.3.0";
const XDS_PORT = 8001;

/** What HTTPRoutes attach to. */
export const GATEWAY = { name: "contour", namespace: "projectcontour" };

/** Kinds that are not in the clusters of those who use HTTPRoutes only, and that Contour does without. */
const WITHOUT = ["backendtlspolicies", "extensionservices", "grpcroutes", "tcproutes", "tlsroutes"];

/** Contour: translates Gateway, HTTPRoutes and endpoints for Envoy. */
export function contour({ link, conf, kubeconfig, programs }: Setting): Component {
  return {
    command: [
      programs.contour,
      ...["serve", "--config-path", join(conf, "contour.yaml"), "--insecure"],
      ...["--kubeconfig", kubeconfig, "--disable-leader-election"],
      ...["--xds-address=127.0.0.1", `--xds-port=${XDS_PORT}`, "--stats-address=0.0.0.0"],
      ...[`--stats-port=${PORTS.envoy}`, `--ingress-status-address=${link.node}`],
      ...WITHOUT.map((kind) => `--disable-feature=${kind}`),
    ],
    files: { "contour.yaml": JSON.stringify({ gateway: { gatewayRef: GATEWAY } }) },
  };
}

/** Envoy: what the requests go through; as the DaemonSet of Contour's own manifests runs it. */
export function envoy({ conf, programs }: Setting): Component {
  const config = join(conf, "envoy.json");
  const bootstrap = [
    ...[programs.contour, "bootstrap", config, "--xds-address=127.0.0.1", `--xds-port=${XDS_PORT}`],
    ...["--admin-address=/run/envoy.sock", `--resources-dir=${join(conf, "envoy")}`],
  ];
  const serve = [
    ...[programs.envoy, "-c", config, "--service-cluster", GATEWAY.namespace],
    ...["--service-node", "node", "--log-level", "info", "--concurrency", "2"],
    "--disable-hot-restart",
  ];
  return {
    command: ["sh", "-c", `${bootstrap.join(" ")} && exec ${serve.join(" ")}`],
  };
}

/** The gateway's own objects; the definitions of their kinds have to be there. */
export const GATEWAY_OBJECTS = [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: GATEWAY.namespace } },
  {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GatewayClass",
    metadata: { name: "contour" },
    spec: { controllerName: "projectcontour.io/gateway-controller" },
  },
  {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: GATEWAY,
    spec: {
      gatewayClassName: "contour",
      listeners: [
        {
          name: "http",
          protocol: "HTTP",
          port: 80,
          allowedRoutes: { namespaces: { from: "All" } },
        },
      ],
    },
  },
];

/**
 * Definitions of the kinds that the gateway needs, out of the Go modules that define them; without
 * descriptions, which are most of it and only read by people.
 */
export async function gatewayKinds(): Promise<object[]> {
  const contour = TOOLS.contour.version;
  const folder = cachePath("tools", `gateway-kinds@${GATEWAY_API}-${contour}`);
  const file = join(folder, "kinds.json");
  await withLock("gateway-kinds", async () => {
    if (existsSync(file)) return;
    const [api, own] = await Promise.all([
      moduleSource(`sigs.k8s.io/gateway-api@${GATEWAY_API}`),
      moduleSource(`github.com/projectcontour/contour@${contour}`),
    ]);
    const standard = join(api, "config", "crd", "standard");
    const texts = await Promise.all(
      [
        ...(await readdir(standard)).map((name) => join(standard, name)),
        join(own, "examples", "contour", "01-crds.yaml"),
      ].map((path) => readFile(path, "utf8")),
    );
    const wanted = texts
      .flatMap((text) => parseAllDocuments(text).map((each) => each.toJSON() as Kind | null))
      .filter((kind) => kind?.kind === "CustomResourceDefinition")
      .filter((kind) => kind && !isLeftOut(kind.metadata.name));
    await makeFolder(folder, async (draft) => {
      await writeFile(join(draft, "kinds.json"), JSON.stringify(wanted, withoutDescription));
    });
  });
  return JSON.parse(await readFile(file, "utf8")) as object[];
}

interface Kind {
  kind: string;
  metadata: { name: string };
}

/** Contour's configuration is a file here, not an object. */
function isLeftOut(name: string): boolean {
  const plural = name.split(".")[0] ?? "";
  return [...WITHOUT, "contourconfigurations", "contourdeployments"].includes(plural);
}

function withoutDescription(key: string, value: unknown): unknown {
  return key === "description" && typeof value === "string" ? undefined : value;
}

/** Folder of a module's sources, which Go has checked against the checksum database. */
async function moduleSource(module: string): Promise<string> {
  const answer = await run("go", ["mod", "download", "-json", module], { cwd: "/" });
  return (JSON.parse(answer) as { Dir: string }).Dir;
}
