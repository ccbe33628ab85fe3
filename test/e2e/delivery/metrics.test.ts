// What Prometheus, or any server of numbers, says of a canary; and what it does not say.
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { plays } from "./support/cases.js";
import { isAlone, refused, serves, takenBack } from "./support/expect.js";
import { openStage } from "./support/stage.js";
import type { Table } from "./support/toml.js";

const stage = await openStage({ prometheus: true });
const test = suite("metrics");
test.after(stage.close);

const ONE = { steps: [{ weight: 20 }] };

/** A question to Prometheus. */
function asking(
  query: string,
  bounds: Table,
): { readonly analysis: Table; readonly deploy: Table } {
  const { prometheus = "" } = stage.cluster;
  return { deploy: ONE, analysis: { prometheus, queries: [{ name: "asked", query, ...bounds }] } };
}

/** Errors that Envoy counted for the canary, a second. */
const ERRORS =
  'sum(rate(envoy_cluster_upstream_rq{envoy_cluster_name=~"{{namespace}}_{{name}}-canary_.*",envoy_response_code="500"}[15s])) or vector(0)';

/** Pods of the release that Prometheus sees. */
const UP = 'sum(up{namespace="{{namespace}}"})';

plays(test, stage, 3, {
  a_query_that_holds_lets_the_canary_through: {
    ...asking("vector(1)", { minimum: 0.5, maximum: 1.5 }),
    play: async (service) => {
      await service.start();
      await serves(service, await service.deploy("v2"), 2);
      const [live] = await service.history();
      const measures = live?.steps[0]?.analysis?.measures ?? [];
      assert.ok(measures.some(({ metric, outcome }) => metric === "asked" && outcome === "passed"));
    },
  },

  pods_that_prometheus_scrapes_can_be_asked_about: {
    analysis: asking(UP, { minimum: 1 }).analysis,
    deploy: { ...ONE, metrics: "/metrics" },
    play: async (service) => {
      await service.start();
      await serves(service, await service.deploy("v2"), 2);
    },
  },

  a_query_that_does_not_hold_takes_the_canary_back: {
    ...asking("vector(7)", { maximum: 5 }),
    play: async (service) => {
      await service.start();
      await takenBack(service, await service.deploy("v2"), 1, /failed: asked: /);
    },
  },

  errors_that_the_gateway_counted_take_the_canary_back: {
    ...asking(ERRORS, { maximum: 0.5 }),
    faulty: { "errors-50": 20 },
    play: async (service) => {
      // Slipway's own requests are not asked, only Prometheus decides.
      await service.configure({
        deploy: { steps: [{ weight: 20, pause: 15 }] },
        analysis: {
          ...asking(ERRORS, { maximum: 0.5 }).analysis,
          success: { minimum: 0, margin: 100 },
        },
      });
      await service.start();
      await takenBack(service, await service.deploy("errors-50"), 1, /asked: /);
    },
  },

  an_answer_without_a_sample_is_never_success: {
    ...asking("no_such_metric", { maximum: 5 }),
    play: async (service) => {
      await service.start();
      const ended = await service.deploy("v2");
      assert.is.not(ended.code, 0, ended.text);
      assert.match(ended.text, /asked: /);
      if (ended.code === 4) await service.call("abort");
      await isAlone(service, 1);
    },
  },

  a_value_that_is_not_a_number_is_never_success: {
    ...asking("vector(0) / vector(0)", { maximum: 5 }),
    play: async (service) => {
      await service.start();
      const ended = await service.deploy("v2");
      assert.is.not(ended.code, 0, ended.text);
      assert.match(ended.text, /NaN|not a number/);
      if (ended.code === 4) await service.call("abort");
      await isAlone(service, 1);
    },
  },

  a_query_that_prometheus_does_not_understand_is_said: {
    ...asking("sum(", { maximum: 5 }),
    play: async (service) => {
      await service.start();
      await takenBack(service, await service.deploy("v2"), 1, /did not work 4 times: .*asked/);
    },
  },

  a_prometheus_that_is_away_is_asked_again_and_then_it_is_taken_back: {
    deploy: ONE,
    analysis: {
      // Nobody listens there.
      prometheus: `http://${stage.cluster.address}:1`,
      queries: [{ name: "asked", query: "vector(1)", minimum: 1 }],
    },
    play: async (service) => {
      await service.start();
      await takenBack(service, await service.deploy("v2"), 1, /did not work 4 times: .*asked/);
    },
  },

  any_number_in_json_can_be_asked_for: {
    deploy: ONE,
    play: async (service) => {
      const server = await numbers({ queue: { depth: 3 } });
      const url = urlOf(server);
      await service.configure({
        analysis: { queries: [{ name: "asked", url, value: "$.queue.depth", maximum: 5 }] },
      });
      await service.start();
      try {
        await serves(service, await service.deploy("v2"), 2);
      } finally {
        server.close();
      }
    },
  },

  a_metrics_server_that_wants_a_token_gets_it_and_no_other_place_does: {
    deploy: ONE,
    play: async (service) => {
      const asked: (string | undefined)[] = [];
      const elsewhere: (string | undefined)[] = [];
      const other = await listening((request, response) => {
        elsewhere.push(request.headers.authorization);
        response.end("3");
      });
      const server = await listening((request, response) => {
        asked.push(request.headers.authorization);
        if (request.url === "/moved") response.writeHead(302, { location: urlOf(other) });
        response.end("3");
      });
      const queries = [{ name: "asked", url: `${urlOf(server)}depth`, maximum: 5 }];
      try {
        await service.configure({ analysis: { queries } });
        await service.start();
        await serves(service, await service.deploy("v2", { metricsToken: "canary-token" }), 2);
        assert.equal([...new Set(asked)], ["Bearer canary-token"]);
        const moved = [{ name: "asked", url: `${urlOf(server)}moved`, maximum: 5 }];
        await service.configure({ analysis: { queries: moved } });
        const ended = await service.deploy("v1", { metricsToken: "canary-token" });
        await takenBack(service, ended, 2, /did not work 4 times: .*asked/);
        assert.equal(elsewhere, []);
        assert.not.match(ended.text, "canary-token");
      } finally {
        server.close();
        other.close();
      }
    },
  },

  what_cannot_be_measured_is_found_before_anything_is_touched: {
    deploy: ONE,
    play: async (service) => {
      await service.start();
      const asked = (url: string) => ({ name: url, url, maximum: 5 });
      const queries = ["http://one.example/depth", "http://two.example/depth"].map(asked);
      await service.configure({ analysis: { queries } });
      const several = await service.deploy("v2", { metricsToken: "canary-token" });
      refused(several, /ask http:\/\/one\.example and http:\/\/two\.example, and the token/);
      const wrong = { requests: "nowhere.jsonl", queries: [asked("http://one.example/{{pod}}")] };
      await service.configure({ analysis: wrong });
      const found = [/no file nowhere\.jsonl/, /the placeholder \{\{pod\}\}/];
      const ended = await service.deploy("v2");
      for (const why of found) refused(ended, why);
      refused(await service.call("watch", { seconds: 2 }), /no file nowhere\.jsonl/);
      const complaints = (await service.complaints("v2")).join("\n");
      for (const why of found) assert.match(complaints, why);
      await isAlone(service, 1);
      assert.is((await service.history()).length, 1, "a release was begun");
    },
  },
});

/** An address of this machine that containers reach. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "";
}

/** A server that always says the same. */
async function numbers(answer: object): Promise<Server> {
  return await listening((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer));
  });
}

const urlOf = (server: Server): string =>
  `http://${ownAddress()}:${(server.address() as AddressInfo).port}/`;

async function listening(answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  return server;
}

test.run();
