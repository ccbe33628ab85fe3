// Commands that are interrupted or killed in the middle, and two at once.
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { plays, type Case } from "./support/cases.js";
import { command } from "./support/command.js";
import { isAlone, refused, serves } from "./support/expect.js";
import type { Moment } from "./support/moments.js";
import type { Service } from "./support/service.js";
import { openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("interruptions");
test.after(stage.close);

/** Starts to deploy the second release as a command, and waits for a moment of that. */
async function halfWay(service: Service, at: Moment) {
  const deploying = await command(service, [
    "deploy",
    "--reference",
    await service.reference("v2"),
  ]);
  const early = deploying.ended.then(({ code, output }) => {
    throw new Error(`It ended with ${code ?? "a signal"} before "${at}":\n${output}`);
  });
  await Promise.race([service.until(at), early]);
  early.catch(() => undefined);
  return deploying;
}

/** Ctrl-C: the command takes back itself, and says so by its exit code. */
function interruptedAt(at: Moment): Case {
  return {
    play: async (service) => {
      await service.start();
      const deploying = await halfWay(service, at);
      deploying.signal("SIGINT");
      const { code, output } = await deploying.ended;
      assert.is(code, 130, output);
      assert.match(output, /taking back what was begun/);
      const [second] = await service.history();
      // What has become the stable release is finished: to take it back would be another change.
      await isAlone(service, second?.status === "live" ? 2 : 1);
      assert.ok(["aborted", "live"].includes(second?.status ?? ""), second?.status);
    },
  };
}

/** kill -9: nobody takes anything back, until somebody comes. */
function killedAt(at: Moment, next: "deploy" | "abort"): Case {
  return {
    play: async (service) => {
      await service.start();
      const deploying = await halfWay(service, at);
      deploying.signal("SIGKILL");
      await deploying.ended;
      const came = next === "abort" ? await service.call("abort") : await service.deploy("v2");
      assert.is(came.code, 0, came.text);
      const [last] = await service.history();
      assert.ok(last);
      if (next === "deploy") await serves(service, came, last.number);
      else await isAlone(service, last.status === "live" ? 2 : 1);
    },
  };
}

plays(test, stage, 3, {
  an_interrupt_while_the_canary_starts_takes_it_back: interruptedAt("applied"),
  an_interrupt_at_the_first_weight_takes_it_back: interruptedAt("first"),
  an_interrupt_at_all_requests_takes_it_back: interruptedAt("whole"),
  an_interrupt_while_stable_is_replaced_ends_in_one_release: interruptedAt("replacing"),

  a_run_killed_while_the_canary_starts_is_taken_back_by_the_next: killedAt("applied", "deploy"),
  a_run_killed_at_the_first_weight_is_taken_back_by_the_next: killedAt("first", "deploy"),
  a_run_killed_at_the_second_weight_is_taken_back_by_the_next: killedAt("second", "deploy"),
  a_run_killed_at_all_requests_is_taken_back_by_the_next: killedAt("whole", "deploy"),
  a_run_killed_while_stable_is_replaced_is_settled_by_the_next: killedAt("replacing", "deploy"),
  a_run_killed_before_the_canary_is_gone_is_settled_by_the_next: killedAt("leaving", "deploy"),
  abort_after_a_kill_at_the_first_weight_works_at_once: killedAt("first", "abort"),
  abort_after_a_kill_at_all_requests_works_at_once: killedAt("whole", "abort"),
  abort_after_a_kill_while_stable_is_replaced_works_at_once: killedAt("replacing", "abort"),

  a_second_deployment_is_refused_and_told_who_is_at_it: {
    play: async (service) => {
      await service.start();
      const first = service.deploy("v2");
      await service.until("applied");
      refused(
        await service.deploy("slow"),
        /another deployment of iris is in progress \(the tests .*\)/,
      );
      await serves(service, await first, 2);
    },
  },

  a_lease_whose_holder_says_nothing_is_taken_whatever_its_clock_says: {
    play: async (service) => {
      await service.start();
      await hold(service, "2099-01-01T00:00:00.000000Z");
      await serves(service, await service.deploy("v2"), 2);
    },
  },

  a_lease_that_is_renewed_is_respected_however_old_its_times_are: {
    play: async (service) => {
      await service.start();
      const done = new AbortController();
      const holding = (async (): Promise<void> => {
        for (let second = 10; !done.signal.aborted; second = (second + 1) % 60) {
          await hold(service, `2001-01-01T00:00:${String(second).padStart(2, "0")}.000000Z`);
          await sleep(4000);
        }
      })();
      const second = await service.deploy("v2");
      done.abort();
      await holding;
      refused(
        second,
        /another deployment of iris is in progress \(a machine whose clock is wrong\)/,
      );
      await isAlone(service, 1);
    },
  },
});

/** Somebody else has the lease, by a clock of their own. */
async function hold(service: Service, renewTime: string): Promise<void> {
  const spec = {
    holderIdentity: "a machine whose clock is wrong",
    renewTime,
    leaseDurationSeconds: 30,
  };
  const patch = `--patch=${JSON.stringify({ spec })}`;
  await service.kubectl(["patch", "lease", "slipway-iris", "--type=merge", patch]);
}

test.run();
