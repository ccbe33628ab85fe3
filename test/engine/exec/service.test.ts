import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { HealthCheckError } from "../../../ci/engine/exec/service.js";
import type { Mount, ServicePort } from "../../../ci/engine/exec/types.js";
import { Machine } from "./machine.js";

const test = suite("services");
let machine: Machine;

test.before(async () => {
  machine = await Machine.start();
});
test.after(() => machine.stop());

const tcp = (port: number): ServicePort => ({ port, protocol: "tcp" });
const WEB = "mkdir /w; echo hello > /w/index.html; sleep 0.3; exec httpd -f -p 8080 -h /w";
const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "resolved",
    (reason: unknown) => (reason as Error).message,
  );

test("a service answers as soon as it is started, by alias", async () => {
  const service = await machine.runner.startService(machine.spec(["sh", "-c", WEB]), [tcp(8080)]);
  const { stdout } = await machine.sh("wget -qO- http://web:8080/", {
    aliases: { web: service.ip },
  });
  assert.is(stdout, "hello\n");
  await service.stop();
  assert.is((await service.exited).exitCode, 143);
});

test("fails_when_the_service_ends_before_it_answers, with what it said", async () => {
  const spec = machine.spec(["sh", "-c", "echo cannot bind >&2; exit 3"]);
  const message = await messageOf(machine.runner.startService(spec, [tcp(8080)]));
  assert.match(message, "exit code: 3, before port 8080 answered");
  assert.match(message, "cannot bind");
});

test("fails_when_the_service_cannot_be_started", async () => {
  const start = machine.runner.startService(machine.spec(["nope"]), [tcp(8080)]);
  assert.match(await messageOf(start), "executable file not found in $PATH");
});

test("ports that are not to be checked are not waited for", async () => {
  const ports: ServicePort[] = [
    { ...tcp(1), skipHealthcheck: true },
    { port: 2, protocol: "udp" },
  ];
  const service = await machine.runner.startService(machine.spec(["sleep", "1000"]), ports);
  await service.stop(true);
  assert.is((await service.exited).exitCode, 137);
});

test("a service with a health check is up when that succeeds, whatever its ports do", async () => {
  const script = "sleep 0.3; touch /ready; exec sleep 1000";
  const service = await machine.runner.startService(
    machine.spec(["sh", "-c", script]),
    machine.check("[ -e /ready ]"),
  );
  await service.stop(true);
  assert.is((await service.exited).exitCode, 137);
});

test("a health check gets its own variables, and the service's user and folder", async () => {
  const spec = { env: { A: "service" }, cwd: "/w", user: "1000:1001" };
  const check = '[ "$A" = check ] && [ "$PWD" = /w ] && [ "$(id -u):$(id -g)" = 1000:1001 ]';
  const service = await machine.runner.startService(
    machine.spec(["sleep", "1000"], spec),
    machine.check(check, { env: { A: "check" }, retries: 1 }),
  );
  await service.stop(true);
});

test("fails_when_the_health_check_has_failed_too_often", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-tries-"));
  const mounts: Mount[] = [{ kind: "cache", target: "/v", volumePath: folder }];
  const started = machine.runner.startService(
    machine.spec(["sleep", "1000"], { mounts }),
    machine.check("echo x >> /v/tries; exit 3", { retries: 2 }),
  );
  assert.is(await messageOf(started), "health check errored: exit code: 3");
  assert.is(await readFile(join(folder, "tries"), "utf8"), "x\nx\n");
  await rm(folder, { recursive: true });
});

test("what a health check prints has no secrets in it", async () => {
  const check = machine.check("echo the s3cret; echo s3cret >&2; exit 3", { retries: 1 });
  const secrets = [Buffer.from("s3cret")];
  const error = await machine.runner
    .startService(machine.spec(["sleep", "1000"]), check, { secrets })
    .catch((reason: unknown) => reason);
  assert.instance(error, HealthCheckError);
  const { ran } = error as HealthCheckError;
  assert.equal(ran, { exitCode: 3, stdout: "the ***\n", stderr: "***\n" });
});

test("a health check may fail within the start period", async () => {
  const script = "sleep 0.5; touch /ready; exec sleep 1000";
  const service = await machine.runner.startService(
    machine.spec(["sh", "-c", script]),
    machine.check("[ -e /ready ]", { retries: 1, startPeriod: 60_000 }),
  );
  await service.stop(true);
});

test("fails_when_the_service_ends_before_its_health_check_succeeds", async () => {
  const spec = machine.spec(["sh", "-c", "echo cannot bind >&2; sleep 0.3; exit 3"]);
  const message = await messageOf(machine.runner.startService(spec, machine.check("false")));
  assert.match(message, "exit code: 3, before its health check succeeded");
  assert.match(message, "cannot bind");
});

test("stopping is polite first", async () => {
  const { exitCode, tail } = await machine.farewell();
  assert.is(exitCode, 5);
  assert.match(tail, /^bye$/m);
});

test("aborting the start ends the service", async () => {
  const controller = new AbortController();
  const start = machine.runner.startService(
    machine.spec(["sh", "-c", "echo up; sleep 1000"]),
    [tcp(9)],
    {
      signal: controller.signal,
      onOutput: () => {
        controller.abort(new Error("enough"));
      },
    },
  );
  assert.is(await messageOf(start), "enough");
});

test("a tunnel leads from the loopback to the service, until it is closed", async () => {
  const service = await machine.runner.startService(machine.spec(["sh", "-c", WEB]), [tcp(8080)]);
  const tunnel = await machine.runner.tunnel(service.ip, [{ backend: 8080, frontend: 0 }]);
  const url = `http://${tunnel.ip}:${tunnel.ports.get(8080) ?? 0}/`;
  assert.is(await (await fetch(url)).text(), "hello\n");
  await tunnel.close();
  assert.is(await messageOf(fetch(url)), "fetch failed");
  await service.stop(true);
});

test("a tunnel carries a half-closed connection and much data", async () => {
  const spec = machine.spec(["nc", "-ll", "-p", "7000", "-e", "cat"]);
  const service = await machine.runner.startService(spec, [tcp(7000)]);
  const tunnel = await machine.runner.tunnel(service.ip, [{ backend: 7000, frontend: 0 }]);
  const sent = Buffer.alloc(3_000_000, "0123456789");
  const socket = connect({
    port: tunnel.ports.get(7000) ?? 0,
    host: tunnel.ip,
    allowHalfOpen: true,
  });
  socket.end(sent);
  const received: Buffer[] = [];
  for await (const chunk of socket) received.push(chunk as Buffer);
  assert.ok(Buffer.concat(received).equals(sent));
  await tunnel.close();
  await service.stop(true);
});

test("a port of the host is reachable at an address of its own, other ports are not", async () => {
  const web: Server = createServer((_request, response) => response.end("from the host"));
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  web.unref();
  const { port } = web.address() as AddressInfo;
  const host = await machine.runner.exposeHost([{ backend: port, frontend: 80 }]);
  const aliases = { host: host.ip };
  assert.is((await machine.sh("wget -qO- http://host/", { aliases })).stdout, "from the host");
  const answers = async (ip: string, to: number): Promise<boolean> =>
    (await machine.sh(`nc -w 2 ${ip} ${to} -e true`)).exitCode === 0;
  assert.ok(await answers(host.ip, 80));
  assert.not.ok(await answers(host.ip, port));
  assert.not.ok(await answers("10.87.0.2", port), "the host's loopback is not open by itself");
  await host.close();
  assert.not.ok(await answers(host.ip, 80));
});

test("containers reach each other by address and have a resolver", async () => {
  const { stdout } = await machine.sh("cat /etc/resolv.conf; ip route");
  assert.match(stdout, "nameserver 10.87.0.3");
  assert.match(stdout, "default via 10.87.0.2");
});

test.run();
