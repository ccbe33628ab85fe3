import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { test } from "uvu";
import * as assert from "uvu/assert";

import { failuresOf, startTraffic, type TrafficOptions } from "../../ci/sandbox/traffic.js";
import { eventually } from "./support/release.js";

/** Sends requests to a server of this kind until there are `wanted`, and counts connections too. */
async function traffic(
  listener: RequestListener,
  wanted: number,
  options: Partial<TrafficOptions> = {},
): Promise<ReturnType<typeof startTraffic>["counts"] & { connections: number; received: number }> {
  let connections = 0;
  let received = 0;
  const server = createServer((request, response) => {
    received += 1;
    listener(request, response);
  });
  server.on("connection", () => (connections += 1));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/predict`;
  const sent = startTraffic({ url, ...options });
  await eventually("requests", () => sent.counts.requests >= wanted || undefined);
  const counts = await sent.stop();
  server.close();
  server.closeAllConnections();
  return { ...counts, connections, received };
}

test("keeps its connections and counts answers by status and release", async () => {
  let number = 0;
  const counts = await traffic((_, response) => {
    number += 1;
    response.writeHead(number % 4 === 0 ? 404 : 200, { "x-release": number % 2 ? "v1" : "v2" });
    response.end("{}");
  }, 100);
  assert.is(counts.connections, 4);
  assert.is(counts.requests, counts.received);
  assert.is((counts.status["200"] ?? 0) + (counts.status["404"] ?? 0), counts.requests);
  assert.is((counts.releases.v1 ?? 0) + (counts.releases.v2 ?? 0), counts.requests);
  assert.is(failuresOf(counts), 0);
});

test("sends the host and the body that it is told", async () => {
  const bodies = new Set<string>();
  await traffic(
    (request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.once("end", () => {
        bodies.add(`${request.method ?? ""} ${request.headers.host ?? ""} ${body}`);
        response.end();
      });
    },
    4,
    { host: "iris.example", body: { instances: [] } },
  );
  assert.equal([...bodies], ['POST iris.example {"instances":[]}']);
});

test("counts an error of the server as failed, with the release that made it", async () => {
  let number = 0;
  const counts = await traffic(
    (_, response) => {
      number += 1;
      const failed = number === 3;
      response.writeHead(failed ? 500 : 200, { "x-release": failed ? "v2" : "v1" });
      response.end(failed ? "broken" : "{}");
    },
    20,
    { connections: 1 },
  );
  assert.equal(counts.failed, { v2: 1 });
  const [failure] = counts.failures;
  if (!failure) throw new Error("no failure was kept");
  assert.is(failure.status, 500);
  assert.is(failure.message, "broken");
  assert.ok(Math.abs(Date.now() - Date.parse(failure.at)) < 60_000);
});

test("counts a connection that is cut as failed, and sends the request once", async () => {
  let number = 0;
  const counts = await traffic(
    (request, response) => {
      number += 1;
      if (number === 3) request.socket.destroy();
      else response.end("{}");
    },
    20,
    { connections: 1 },
  );
  assert.is(counts.connectionErrors, 1);
  assert.equal(counts.failed, { none: 1 });
  assert.is(counts.requests, counts.received);
  assert.match(counts.failures[0]?.message ?? "", /ECONNRESET/);
});

test("counts an answer that breaks off as failed", async () => {
  let number = 0;
  const counts = await traffic(
    (_, response) => {
      number += 1;
      response.writeHead(200, { "content-length": 10 });
      if (number !== 2) response.end("0123456789");
      else response.write("01", () => response.destroy());
    },
    10,
    { connections: 1 },
  );
  assert.is(counts.connectionErrors, 1);
});

test("counts a request without an answer in time as failed", async () => {
  let number = 0;
  const counts = await traffic(
    (_, response) => {
      number += 1;
      if (number !== 2) response.end("{}");
    },
    5,
    { connections: 1, timeout: 300 },
  );
  assert.is(counts.connectionErrors, 1);
  assert.match(counts.failures[0]?.message ?? "", /no answer for 300 ms/);
});

test.run();
