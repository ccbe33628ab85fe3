import type { KubernetesObject } from "../delivery/objects/index.js";

/** Name of the pod that asks the service for predictions. */
export const CLIENT = "client";

/** What the client has seen so far. */
export interface Counts {
  readonly requests: number;
  /** Answers other than 200, and requests without one. */
  readonly failed: number;
}

/** Asks for predictions, one after the other, and says every half second how that went. */
const PROGRAM = `
import json, os, time, urllib.request
name = os.environ["SERVICE"].upper().replace("-", "_")
url = "http://%s:%s/predict" % (os.environ[name + "_SERVICE_HOST"], os.environ[name + "_SERVICE_PORT"])
flower = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
body = json.dumps({"instances": [flower]}).encode()
requests = failed = 0
said = 0.0
while True:
    try:
        urllib.request.urlopen(urllib.request.Request(url, body, {"content-type": "application/json"}), timeout=10).read()
    except OSError:
        failed += 1
    requests += 1
    if time.monotonic() - said >= 0.5:
        said = time.monotonic()
        print(json.dumps({"requests": requests, "failed": failed}), flush=True)
    time.sleep(0.02)
`;

/**
 * A pod that asks the service for predictions, in the cluster: there the Service shares the requests
 * among the pods, each of which comes over a connection of its own.
 *
 * @param image Any with Python; the service's own is there already.
 */
export function clientPod(service: string, image: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: CLIENT },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: CLIENT,
          image,
          command: ["python3", "-c", PROGRAM],
          env: [{ name: "SERVICE", value: service }],
        },
      ],
    },
  };
}

/**
 * What the client said last.
 *
 * @throws Error when that are no counts: its own words are in the message.
 */
export function readCounts(log: string): Counts {
  const said = log.trim().split("\n").at(-1) ?? "";
  try {
    const { requests, failed } = JSON.parse(said) as Counts;
    if (Number.isInteger(requests) && Number.isInteger(failed)) return { requests, failed };
  } catch {
    // It is told below.
  }
  throw new Error(`The demo's client does not count: ${log.trim() || "it said nothing"}`);
}

/** What came between two counts, in a sentence. */
export function countsText(before: Counts, after: Counts): string {
  const requests = after.requests - before.requests;
  const failed = after.failed - before.failed;
  const share = ((100 * failed) / Math.max(1, requests)).toFixed(1);
  return `The client sent ${requests} requests; ${failed === 0 ? "none failed" : `${failed} failed (${share} %)`}.`;
}
