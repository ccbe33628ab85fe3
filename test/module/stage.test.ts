import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CheckState } from "../../src/core/check.js";
import type { Context } from "../../src/stages/context.js";
import { runStage, type Stage } from "../../src/stages/stage.js";
import { result } from "../core/runs.js";

const test = suite("a stage");

/** A tool that ends as told, one state a run; `startedAt` is of its first run. */
function stage(states: CheckState[], startedAt: string): { stage: Stage; attempts: unknown[] } {
  const attempts: unknown[] = [];
  return {
    attempts,
    stage: {
      name: "pipAudit",
      skip: () => undefined,
      run: ({ attempt }) => {
        const state = states[attempts.length] ?? "PASSED";
        const began = attempts.length === 0 ? startedAt : new Date(Date.now() + 1000).toISOString();
        attempts.push(attempt);
        return Promise.resolve({ result: result({ state, startedAt: began }), reports: {} });
      },
    },
  };
}

const context = {} as Context;
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString();
const LATER = new Date(Date.now() + 3600_000).toISOString();

test("runs_a_tool_again_that_did_not_work_for_an_earlier_call", async () => {
  const tool = stage(["ERRORED", "PASSED"], YESTERDAY);
  const { result: ended } = await runStage(tool.stage, context);
  assert.is(tool.attempts.length, 2);
  assert.is(tool.attempts[0], undefined);
  assert.type(tool.attempts[1], "string");
  assert.is(ended.state, "PASSED");
  assert.is(ended.cached, undefined);
});

test("does_not_repeat_a_tool_that_did_not_work_just_now", async () => {
  const tool = stage(["ERRORED"], LATER);
  assert.is((await runStage(tool.stage, context)).result.state, "ERRORED");
  assert.is(tool.attempts.length, 1);
});

test("keeps_an_earlier_verdict_and_says_so", async () => {
  for (const state of ["PASSED", "FAILED"] as const) {
    const tool = stage([state], YESTERDAY);
    const { result: ended } = await runStage(tool.stage, context);
    assert.is(ended.state, state);
    assert.is(ended.cached, true);
    assert.is(tool.attempts.length, 1);
  }
});

test.run();
