// The test service that is deployed to the sandbox's cluster: its variants do what they are called by.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { suite } from "uvu";
import * as assert from "uvu/assert";

import { run } from "../../ci/sandbox/run.js";
import {
  SERVICE_VARIANTS,
  serviceImage,
  signedServiceImage,
  VARIANTS,
  type Variant,
} from "../../ci/sandbox/service.js";
import { ensureTool } from "../../ci/sandbox/tools.js";
import { cosign, makeKeys, PASSWORD } from "../e2e/support/evidence.js";
import { eventually, FLOWER } from "./support/release.js";

const PROGRAM = fileURLToPath(new URL("../../ci/sandbox/service/service.py", import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  readonly said: () => string;
}

/** Runs a variant on this machine, and `use`s it once it answers or has ended. */
async function withVariant(
  variant: Variant,
  use: (running: Running) => Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const child = spawn("python3", ["-u", PROGRAM], {
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      RELEASE: variant,
      ...VARIANTS[variant],
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually("an answer or the end", async () => {
      if (child.exitCode !== null) return true;
      return await fetch(`${url}/healthz`).then(
        () => true,
        () => undefined,
      );
    });
    await use({ child, url, said: () => said });
  } finally {
    child.kill("SIGKILL");
  }
}

async function predict(url: string, flower: object = FLOWER): Promise<Response> {
  return await fetch(`${url}/predict`, {
    method: "POST",
    body: JSON.stringify({ instances: [flower] }),
  });
}

async function species(url: string, flower: object): Promise<string | undefined> {
  const { predictions } = (await (await predict(url, flower)).json()) as {
    predictions: { species: string }[];
  };
  return predictions[0]?.species;
}

/** How many of `count` predictions fail. */
async function failed(url: string, count: number): Promise<number> {
  let errors = 0;
  for (let sent = 0; sent < count; sent += 1) {
    const answer = await predict(url);
    await answer.arrayBuffer();
    if (answer.status === 500) errors += 1;
  }
  return errors;
}

const VIRGINICA = { sepal_length: 6.3, sepal_width: 3.3, petal_length: 6, petal_width: 2.5 };

const service = suite("the test service");

service("answers as the iris service does, and says which release it is", async () => {
  await withVariant("v2", async ({ url }) => {
    const answer = await predict(url);
    assert.is(answer.status, 200);
    assert.is(answer.headers.get("x-release"), "v2");
    const body = (await answer.json()) as { model: { version: string }; predictions: object[] };
    assert.is(body.model.version, "2");
    assert.equal(body.predictions, [
      { species: "setosa", probabilities: { setosa: 1, versicolor: 0, virginica: 0 } },
    ]);
    assert.is((await predict(url, { petal_length: 1 })).status, 422);
    assert.is((await fetch(`${url}/nothing`)).status, 404);
    assert.is((await fetch(`${url}/readyz`)).status, 200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(
      metrics,
      /^http_requests_total\{method="POST",route="\/predict",status="200"\} 1$/m,
    );
    assert.match(metrics, /^http_request_duration_seconds_bucket\{.*le="\+Inf"\} \d+$/m);
  });
});

service("fails as often as its variant says", async () => {
  await withVariant("errors-50", async ({ url }) => {
    assert.is(await failed(url, 20), 10);
  });
  await withVariant("errors-1", async ({ url }) => {
    assert.is(await failed(url, 300), 3);
  });
});

service("ends at once with a reason, or never becomes ready", async () => {
  await withVariant("crash", async ({ child, said }) => {
    assert.is(child.exitCode, 1);
    await eventually("the reason", () => said().includes("the model file is damaged") || undefined);
  });
  await withVariant("never-ready", async ({ url }) => {
    assert.is((await fetch(`${url}/readyz`)).status, 503);
    assert.is((await fetch(`${url}/healthz`)).status, 200);
  });
});

service("is slow, loud, or of another opinion", async () => {
  await withVariant("slow", async ({ url }) => {
    const began = Date.now();
    assert.is((await predict(url)).status, 200);
    assert.ok(Date.now() - began >= 300);
  });
  await withVariant("loud", async ({ url, said }) => {
    await predict(url);
    await eventually("500 lines", () => said().split("/predict").length > 500 || undefined);
  });
  await withVariant("v1", async ({ url }) => {
    assert.is(await species(url, VIRGINICA), "virginica");
  });
  await withVariant("predicts-differently", async ({ url }) => {
    assert.is(await species(url, VIRGINICA), "versicolor");
    assert.is(await species(url, FLOWER), "setosa");
  });
});

service("ends after a time with a code of its own, or begins late", async () => {
  const soon = { EXIT_AFTER: "1" };
  await withVariant(
    "exits-later",
    async ({ child }) => {
      const [code] = (await once(child, "exit")) as [number];
      assert.is(code, 7);
    },
    soon,
  );
  const began = Date.now();
  await withVariant(
    "slow-start",
    () => {
      assert.ok(Date.now() - began >= 2_000);
      return Promise.resolve();
    },
    { START_DELAY: "2" },
  );
});

service(
  "answers what it was asked, and new requests for a while, after it was told to end",
  async () => {
    await withVariant("slow", async ({ child, url }) => {
      const under = predict(url);
      await new Promise((resolve) => setTimeout(resolve, 50));
      child.kill("SIGTERM");
      assert.is((await under).status, 200);
      assert.is((await fetch(`${url}/readyz`)).status, 503);
      assert.is((await predict(url)).status, 200);
      // Sent on a kept connection just before the port is closed.
      const agent = new Agent({ keepAlive: true });
      const late = await new Promise((resolve, reject) => {
        const sent = request(`${url}/version`, { agent }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.once("error", reject);
        sent.end();
      });
      assert.is(late, 200);
      const [code] =
        child.exitCode === null ? ((await once(child, "exit")) as [number]) : [child.exitCode];
      assert.is(code, 0);
      agent.destroy();
    });
  },
);

service.run();

const images = suite("the test service's images");

images("have a digest for each variant, and the same one again", async () => {
  const all = await Promise.all(SERVICE_VARIANTS.map((variant) => serviceImage(variant)));
  assert.is(new Set(all.map(({ digest }) => digest)).size, SERVICE_VARIANTS.length);
  assert.equal(await serviceImage("v1"), all[SERVICE_VARIANTS.indexOf("v1")]);
  const own = await serviceImage("v1", { env: { LATENCY_MS: "5" } });
  assert.is.not(own.digest, all[SERVICE_VARIANTS.indexOf("v1")]?.digest);
});

images("run as a user with a number and nothing but their port", async () => {
  const { reference } = await serviceImage("v1");
  const config = JSON.parse(await run(await ensureTool("crane"), ["config", reference])) as {
    config: { User: string; ExposedPorts: object };
  };
  assert.is(config.config.User, "10001");
  assert.equal(Object.keys(config.config.ExposedPorts), ["8000/tcp"]);
});

images("are signed so that cosign verifies them offline", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-signed-"));
  try {
    const keys = await makeKeys(folder);
    const signer = { key: join(folder, "cosign.key"), password: PASSWORD };
    const { reference } = await signedServiceImage("v2", signer);
    const verify = [
      "verify",
      "--key",
      join(keys.folder, "cosign.pub"),
      "--insecure-ignore-tlog=true",
    ];
    const verified = await cosign([...verify, "--allow-http-registry", reference]);
    assert.is(verified.code, 0, verified.stderr);
    const unsigned = await serviceImage("v1", { env: { RELEASE: folder } });
    const refused = await cosign([...verify, "--allow-http-registry", unsigned.reference]);
    assert.is.not(refused.code, 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

images.run();
