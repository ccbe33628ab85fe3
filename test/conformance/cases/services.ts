import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { CacheVolume, Container, Service } from "@dagger.io/dagger";

import { topic, type Tools } from "../case.js";

/** A web server that answers `text` at /, started by busybox's httpd. */
function web(t: Tools, text: string): Container {
  return t
    .base()
    .withNewFile("/srv/index.html", text)
    .withExposedPort(80)
    .withDefaultArgs(["httpd", "-f", "-p", "80", "-h", "/srv"]);
}

/** A service that answers something else every time it is started. */
function changing(t: Tools): Service {
  const script =
    "mkdir /w; head -c 8 /dev/urandom | sha256sum > /w/index.html; exec httpd -f -p 80 -h /w";
  return t
    .base()
    .withEnvVariable("RUN", t.unique())
    .withExposedPort(80)
    .withDefaultArgs(["sh", "-c", script])
    .asService();
}

/** A {@link changing} service that ends with code 3 once there is a file `end` in the volume. */
function ending(t: Tools, volume: CacheVolume): Service {
  const script =
    "rm -f /v/end; mkdir /w; head -c 8 /dev/urandom | sha256sum > /w/index.html; httpd -p 80 -h /w; until [ -e /v/end ]; do sleep 0.2; done; exit 3";
  return t
    .base()
    .withEnvVariable("RUN", t.unique())
    .withMountedCache("/v", volume)
    .withExposedPort(80)
    .withDefaultArgs(["sh", "-c", script])
    .asService();
}

async function get(t: Tools, service: Service, url = "http://www/"): Promise<string> {
  return t.fresh().withServiceBinding("www", service).withExec(["wget", "-qO-", url]).stdout();
}

export const services = topic("services", {
  answer_under_their_alias: async (_dag, t) => {
    const text = t.unique();
    assert.equal(await get(t, web(t, text).asService()), text);
  },
  are_up_before_the_client_starts: async (_dag, t) => {
    const slow = t
      .base()
      .withNewFile("/srv/index.html", "late")
      .withEnvVariable("RUN", t.unique())
      .withExposedPort(80)
      .withDefaultArgs(["sh", "-c", "sleep 1.5; exec httpd -f -p 80 -h /srv"]);
    assert.equal(await get(t, slow.asService()), "late");
  },
  take_arguments_instead_of_the_default_ones: async (_dag, t) => {
    const service = web(t, "x")
      .withNewFile("/other/index.html", "other")
      .asService({ args: ["httpd", "-f", "-p", "80", "-h", "/other"] });
    assert.equal(await get(t, service), "other");
  },
  use_the_entrypoint_when_asked: async (_dag, t) => {
    const text = t.unique();
    const service = web(t, text)
      .withEntrypoint(["httpd", "-f", "-h", "/srv"])
      .asService({ args: ["-p", "80"], useEntrypoint: true });
    assert.equal(await get(t, service), text);
  },
  fail_without_a_command: async (_dag, t) => {
    const service = t.base().withoutDefaultArgs().withExposedPort(80).asService();
    await t.expectError(() => service.start(), /no service command has been set/);
  },
  are_reached_through_several_aliases_at_once: async (_dag, t) => {
    const [a, b] = [t.unique("a"), t.unique("b")];
    const out = await t
      .fresh()
      .withServiceBinding("one", web(t, a).asService())
      .withServiceBinding("two", web(t, b).asService())
      .withExec(["sh", "-c", "wget -qO- http://one/; wget -qO- http://two/"])
      .stdout();
    assert.equal(out, a + b);
  },
  reach_services_bound_to_them: async (_dag, t) => {
    const text = t.unique();
    const inner = web(t, text).asService();
    const outer = t
      .base()
      .withServiceBinding("inner", inner)
      .withEnvVariable("RUN", t.unique())
      .withExposedPort(80)
      .withDefaultArgs([
        "sh",
        "-c",
        "mkdir -p /w && wget -qO /w/index.html http://inner/ && exec httpd -f -p 80 -h /w",
      ])
      .asService();
    assert.equal(await get(t, outer), text);
  },
  share_one_instance_between_clients: async (dag, t) => {
    const service = changing(t);
    const volume = dag.cacheVolume(t.unique("meet"));
    const wait = "touch /v/$0; until [ $(ls /v | wc -l) = 2 ]; do sleep 0.1; done";
    const client = (name: string): Promise<string> =>
      t
        .fresh()
        .withMountedCache("/v", volume)
        .withServiceBinding("www", service)
        .withExec(["sh", "-c", `${wait}; wget -qO- http://www/`, name])
        .stdout();
    const [first, second] = await Promise.all([client("a"), client("b")]);
    assert.match(first, /^[0-9a-f]{64}/);
    assert.equal(first, second);
  },
  keep_running_between_the_execs_of_a_chain: async (_dag, t) => {
    const out = await t
      .fresh()
      .withServiceBinding("www", changing(t))
      .withExec(["sh", "-c", "wget -qO /first http://www/"])
      .withExec(["sh", "-c", "wget -qO /second http://www/"])
      .withExec(["sh", "-c", "cmp /first /second && echo same"])
      .stdout();
    assert.equal(out, "same\n");
  },
  keep_running_from_start_to_stop: async (_dag, t) => {
    const service = web(t, t.unique("kept")).withEnvVariable("RUN", t.unique()).asService();
    await service.start();
    const address = await service.endpoint({ scheme: "http" });
    const reach = (): Promise<string> => t.fresh().withExec(["wget", "-qO-", address]).stdout();
    assert.match(await reach(), /^kept/);
    await sleep(500);
    assert.match(await reach(), /^kept/);
    await service.stop({ kill: true });
    await t.expectError(reach, /exit code/);
  },
  give_endpoint_host_name_and_ports: async (_dag, t) => {
    const service = web(t, t.unique())
      .withExposedPort(81, { description: "second", experimentalSkipHealthcheck: true })
      .asService();
    const host = await service.hostname();
    assert.equal(await service.endpoint({ port: 80 }), `${host}:80`);
    assert.equal(await service.endpoint({ port: 80, scheme: "http" }), `http://${host}:80`);
    const ports = await Promise.all((await service.ports()).map((port) => port.port()));
    assert.deepEqual(ports.sort(), [80, 81]);
  },
  have_the_host_name_they_were_given: async (_dag, t) => {
    const text = t.unique();
    const host = t.unique("host");
    const service = web(t, text).asService().withHostname(host);
    assert.equal(await service.hostname(), host);
    await service.start();
    const out = await t
      .fresh()
      .withExec(["wget", "-qO-", `http://${host}/`])
      .stdout();
    assert.equal(out, text);
    await service.stop();
  },
  have_a_host_name_of_their_content: async (_dag, t) => {
    const text = t.unique();
    const host = (label: string): Promise<string> => web(t, label).asService().hostname();
    assert.equal(await host(text), await host(text));
    assert.notEqual(await host(text), await host(t.unique()));
  },
  fail_the_client_when_they_exit_before_they_are_up: async (_dag, t) => {
    const service = t
      .base()
      .withEnvVariable("RUN", t.unique())
      .withExposedPort(80)
      .withDefaultArgs(["sh", "-c", "echo nope; exit 42"])
      .asService();
    const client = t.fresh().withServiceBinding("www", service).withExec(["true"]);
    const error = await t.expectExecError(() => client.sync(), 42);
    assert.match(error.message, /www/);
    assert.match(error.stdout, /nope/);
  },
  see_only_bound_names: async (_dag, t) => {
    const out = t.fresh().withExec(["sh", "-c", "wget -T 3 -qO- http://www/ 2>&1 || echo no"]);
    assert.match(await out.stdout(), /no\n$/);
  },
  are_tunneled_to_the_host: async (dag, t) => {
    const text = t.unique();
    const tunnel = await dag.host().tunnel(web(t, text).asService()).start();
    try {
      const response = await fetch(await tunnel.endpoint({ scheme: "http" }));
      assert.equal(await response.text(), text);
    } finally {
      await tunnel.stop();
    }
  },
  reach_a_server_of_the_host: async (dag, t) => {
    const text = t.unique();
    const server = createServer((_request, response) => response.end(text));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    try {
      const { port } = server.address() as AddressInfo;
      const service = dag.host().service([{ frontend: 80, backend: port }]);
      assert.equal(await get(t, service), text);
    } finally {
      server.close();
    }
  },
  do_not_wait_for_ports_that_only_their_image_exposes: async (dag, t) => {
    const image = t.base().withExposedPort(80).asTarball();
    const service = dag
      .container()
      .import_(image)
      .withEnvVariable("RUN", t.unique())
      .asService({ args: ["sleep", "60"] });
    assert.deepEqual(await service.ports(), []);
    const client = t.fresh().withServiceBinding("www", service).withExec(["echo", "started"]);
    assert.equal(await client.stdout(), "started\n");
  },
  end_who_is_bound_to_them_when_they_end_and_start_anew: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("end"));
    const service = ending(t, volume);
    const first = await get(t, service);
    const client = t
      .fresh()
      .withMountedCache("/v", volume)
      .withServiceBinding("www", service)
      .withExec(["sh", "-c", "touch /v/end; sleep 50"]);
    await t.expectError(() => client.sync(), /bound service .*aliased as www.* exited/);
    assert.notEqual(await get(t, service), first);
  },
  end_services_that_are_bound_to_them_too: async (dag, t) => {
    const volume = dag.cacheVolume(t.unique("end"));
    const outer = web(t, t.unique()).withServiceBinding("inner", ending(t, volume)).asService();
    const client = t
      .fresh()
      .withMountedCache("/v", volume)
      .withServiceBinding("www", outer)
      .withExec(["sh", "-c", "touch /v/end; sleep 50"]);
    await t.expectError(() => client.sync(), /bound service .*aliased as www.* exited/);
  },
});
