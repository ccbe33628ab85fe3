import assert from "node:assert/strict";

import type { Container } from "@dagger.io/dagger";

import { BUSYBOX, topic, type Tools } from "../case.js";
import { dockerfile } from "../dockerfiles.js";

/** A service that answers at once; `script` goes on beside its web server. */
function web(t: Tools, script = "true"): Container {
  return t
    .fresh()
    .withExposedPort(80)
    .withDefaultArgs(["sh", "-c", `mkdir -p /w; httpd -p 80 -h /w; ${script}; sleep 1000`]);
}

/** What a client prints that is bound to the service. */
function client(t: Tools, service: Container, command: string[]): Promise<string> {
  return t.fresh().withServiceBinding("www", service.asService()).withExec(command).stdout();
}

const LATE = "sleep 1.5; echo late > /w/index.html";
const READ = ["wget", "-qO-", "http://www/"];

export const healthChecks = topic("health-checks", {
  have_succeeded_before_the_client_starts: async (_dag, t) => {
    const service = web(t, LATE).withDockerHealthcheck(["test", "-s", "/w/index.html"], {
      interval: "200ms",
      retries: 100,
    });
    assert.equal(await client(t, service, READ), "late\n");
  },
  count_instead_of_the_ports: async (_dag, t) => {
    const service = web(t).withExposedPort(81).withDockerHealthcheck(["true"]);
    assert.equal(await client(t, service, ["echo", "started"]), "started\n");
  },
  run_in_a_shell_when_asked: async (_dag, t) => {
    const service = web(t, LATE).withDockerHealthcheck(["cat /w/index.html | grep -q late"], {
      shell: true,
      interval: "200ms",
      retries: 100,
    });
    assert.equal(await client(t, service, READ), "late\n");
  },
  run_in_the_shell_of_their_dockerfile: async (dag, t) => {
    const service = dockerfile(
      dag,
      `FROM ${BUSYBOX}`,
      'SHELL ["/bin/sh", "-ec"]',
      "HEALTHCHECK --interval=1s --retries=2 CMD false; true",
      "EXPOSE 80",
      'CMD ["sleep", "1000"]',
    )
      .dockerBuild()
      .withEnvVariable("RUN", t.unique());
    await t.expectError(() => client(t, service, ["true"]), /health check errored: exit code: 1/);
  },
  fail_the_client_after_their_last_try: async (_dag, t) => {
    const service = web(t, "true").withDockerHealthcheck(["sh", "-c", "echo sick; exit 3"], {
      interval: "100ms",
      retries: 2,
    });
    const error = await t.expectExecError(() => client(t, service, ["true"]), 3);
    assert.match(error.message, /health check errored: exit code: 3/);
    assert.equal(error.stdout, "sick\n");
    assert.deepEqual(error.cmd, ["sh", "-c", "echo sick; exit 3"]);
  },
  may_fail_within_their_start_period: async (_dag, t) => {
    const service = web(t, LATE).withDockerHealthcheck(["test", "-s", "/w/index.html"], {
      startPeriod: "30s",
      startInterval: "100ms",
      interval: "60s",
      retries: 1,
    });
    assert.equal(await client(t, service, READ), "late\n");
  },
  have_user_folder_and_variables_of_their_container: async (_dag, t) => {
    const check = '[ "$A" = b ] && [ "$(pwd)" = /w ] && [ "$(id -u):$(id -g)" = 1000:1001 ]';
    const service = web(t)
      .withExec(["sh", "-c", "mkdir -m 777 /w"])
      .withEnvVariable("A", "b")
      .withWorkdir("/w")
      .withUser("1000:1001")
      .withDockerHealthcheck([check], { shell: true, interval: "100ms", retries: 1 });
    assert.equal(await client(t, service, ["echo", "started"]), "started\n");
  },
  see_the_processes_and_files_of_their_service_but_not_its_secret_variables: async (dag, t) => {
    const check = '[ -z "$KEY" ] && pidof httpd && wget -qO- http://127.0.0.1/ | grep here';
    const service = web(t, 'echo here > /w/index.html; [ -n "$KEY" ] || exit 9')
      .withSecretVariable("KEY", dag.setSecret(t.unique(), "s3cret"))
      .withDockerHealthcheck([check], { shell: true, interval: "200ms", retries: 20 });
    assert.equal(await client(t, service, READ), "here\n");
  },
  are_over_when_their_service_ends: async (_dag, t) => {
    const service = t
      .fresh()
      .withDefaultArgs(["sh", "-c", "echo nope; sleep 0.5; exit 42"])
      .withDockerHealthcheck(["false"], { interval: "100ms", retries: 1000 });
    const error = await t.expectExecError(() => client(t, service, ["true"]), 42);
    assert.equal(error.stdout, "nope\n");
  },
  cannot_be_started_when_there_is_none_on_purpose: async (dag, t) => {
    const service = dockerfile(dag, `FROM ${BUSYBOX}`, "HEALTHCHECK NONE", 'CMD ["sleep", "9"]')
      .dockerBuild()
      .withEnvVariable("RUN", t.unique())
      .asService();
    await t.expectError(() => service.start(), /container does not have a healthcheck command/);
  },
});
