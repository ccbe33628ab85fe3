import { join } from "node:path";

import { ensureTool } from "../tools.js";
import type { Component, Setting } from "./components.js";
import { PORTS } from "./network.js";

/**
 * Prometheus: scrapes every pod that asks for it with the annotations `prometheus.io/scrape`, `port`
 * and `path`, and Envoy, every second.
 */
export async function prometheus(
  { conf, kubeconfig, link }: Setting,
  report: (line: string) => void,
): Promise<Component> {
  const annotation = (name: string): string =>
    `__meta_kubernetes_pod_annotation_prometheus_io_${name}`;
  const config = {
    global: { scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    scrape_configs: [
      {
        job_name: "pods",
        kubernetes_sd_configs: [{ role: "pod", kubeconfig_file: kubeconfig }],
        relabel_configs: [
          { source_labels: [annotation("scrape")], action: "keep", regex: "true" },
          { source_labels: ["__meta_kubernetes_pod_phase"], action: "keep", regex: "Running" },
          {
            source_labels: [annotation("path")],
            action: "replace",
            target_label: "__metrics_path__",
            regex: "(.+)",
          },
          {
            source_labels: ["__meta_kubernetes_pod_ip", annotation("port")],
            action: "replace",
            regex: "(.+);(.+)",
            replacement: "$1:$2",
            target_label: "__address__",
          },
          { action: "labelmap", regex: "__meta_kubernetes_pod_label_(.+)" },
          { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
          { source_labels: ["__meta_kubernetes_pod_name"], target_label: "pod" },
        ],
      },
      {
        job_name: "envoy",
        metrics_path: "/stats/prometheus",
        static_configs: [{ targets: [`127.0.0.1:${PORTS.envoy}`] }],
      },
    ],
  };
  return {
    command: [
      await ensureTool("prometheus", report),
      ...[
        `--config.file=${join(conf, "prometheus.json")}`,
        "--storage.tsdb.path=/var/lib/prometheus",
      ],
      `--web.listen-address=${link.node}:${PORTS.prometheus}`,
    ],
    files: { "prometheus.json": JSON.stringify(config) },
  };
}
