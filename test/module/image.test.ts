import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pythonImage, uvImage } from "../../src/images.js";
import { entrypoint, healthcheckCommand } from "../../src/stages/build.js";
import { imageLabels } from "../../src/stages/labels.js";
import { raises } from "../core/raises.js";
import { known, service } from "./project.js";

const test = suite("image");

test("takes_the_python_of_the_project", () => {
  assert.match(pythonImage("3.12", {}), /python:3\.12-slim$/);
});

test("lets_every_image_be_replaced", () => {
  const python = "mirror.example/py:{version}@sha256:00";
  assert.is(pythonImage("3.12", { python }), "mirror.example/py:3.12@sha256:00");
  assert.is(uvImage({ uv: "mirror.example/uv:1" }), "mirror.example/uv:1");
});

test("runs_the_only_script", () => {
  assert.equal(entrypoint(service([], '[project.scripts]\nserve = "orders:main"\n')), ["serve"]);
});

test("runs_the_package_when_scripts_are_several_or_none", () => {
  const scripts = '[project.scripts]\nserve = "orders:main"\ntrain = "orders:train"\n';
  assert.equal(entrypoint(service([], scripts)), ["python", "-m", "orders"]);
  assert.equal(entrypoint(service()), ["python", "-m", "orders"]);
});

test("runs_what_is_configured", () => {
  assert.equal(entrypoint(service(['build.entrypoint=["gunicorn","orders:app"]'])), [
    "gunicorn",
    "orders:app",
  ]);
});

test("fails_when_nothing_says_what_to_run", () => {
  const message = raises("PROJECT", () => entrypoint(known({ "requirements.txt": "idna\n" })));
  assert.match(message, /build\.entrypoint/);
});

test("labels_say_what_is_known_and_nothing_else", () => {
  const labels = imageLabels(service(["model.version=7"]), { revision: "abc" });
  assert.is(labels["org.opencontainers.image.title"], "orders");
  assert.is(labels["org.opencontainers.image.version"], "1.2.3");
  assert.is(labels["org.opencontainers.image.revision"], "abc");
  assert.is(labels["slipway.model.name"], "iris-random-forest");
  assert.is(labels["slipway.model.version"], "7");
  assert.not.ok("org.opencontainers.image.source" in labels);
  assert.not.ok("org.opencontainers.image.created" in labels);
});

test("labels_say_nothing_of_a_model_where_there_is_none", () => {
  const models = (set: string[]): string[] =>
    Object.keys(imageLabels(service(set), {})).filter((name) => name.startsWith("slipway.model"));
  assert.equal(models(["model.enabled=false", "model.version=7"]), []);
  assert.equal(models(["model.run=4f1c", `model.digest=sha256:${"0a".repeat(32)}`]), [
    "slipway.model.name",
    "slipway.model.stage",
    "slipway.model.run",
    "slipway.model.digest",
  ]);
});

test("labels_of_the_configuration_win", () => {
  const labels = imageLabels(service(["build.labels.org.opencontainers.image.title=Orders"]), {});
  assert.is(labels["org.opencontainers.image.title"], "Orders");
});

test("does_not_name_a_base_image_that_a_dockerfile_chooses", () => {
  const labels = imageLabels(service(["build.dockerfile=Dockerfile"]), {});
  assert.not.ok("org.opencontainers.image.base.name" in labels);
});

test("the_health_check_passes_on_200_and_fails_on_503", async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/healthz" ? 200 : 503;
    response.end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  const probe = async (path: string): Promise<unknown> => {
    const [, ...args] = healthcheckCommand(path, port);
    return await promisify(execFile)("python3", args, { env: { PATH: process.env.PATH } });
  };
  try {
    await probe("/healthz");
    const failure = await probe("/other").then(
      () => "it passed",
      (error: unknown) => String(error),
    );
    assert.match(failure, /503/);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test.run();
