import { suite } from "uvu";
import * as assert from "uvu/assert";
import { judge, type Champion } from "../../../src/core/model/gates.js";
import { raises } from "../raises.js";
import { resolveConfig } from "../../../src/core/config/resolve.js";
import { model } from "./facts.js";

const test = suite("the model's gates");

function holds(gate: object, value: number | undefined, champion?: number): boolean {
  const { gates } = model({ gates: [{ metric: "m", ...gate }] });
  const metrics = value === undefined ? {} : { m: value };
  const other: Champion | undefined =
    champion === undefined ? undefined : { version: "1", metrics: { m: champion } };
  const [result] = judge(gates, metrics, other);
  assert.ok(result?.why);
  return result.ok;
}

test("holds_on_the_very_bounds", () => {
  assert.ok(holds({ minimum: 0.9 }, 0.9));
  assert.not.ok(holds({ minimum: 0.9 }, 0.899));
  assert.ok(holds({ maximum: 0.1 }, 0.1));
  assert.not.ok(holds({ maximum: 0.1 }, 0.101));
  assert.ok(holds({ minimum: 0, maximum: 0 }, 0));
});

test("fails_without_a_number_whatever_is_asked", () => {
  for (const value of [undefined, NaN, Infinity, -Infinity]) {
    assert.not.ok(holds({ minimum: -1e9 }, value), String(value));
    assert.not.ok(holds({ maximum: 1e9 }, value), String(value));
    assert.not.ok(holds({ champion: true }, value, 0.5), String(value));
    assert.not.ok(holds({ champion: true }, value), String(value));
  }
});

test("fails_when_the_champion_is_better_by_more_than_the_tolerance", () => {
  assert.ok(holds({ champion: true }, 0.95, 0.95));
  assert.not.ok(holds({ champion: true }, 0.949, 0.95));
  assert.ok(holds({ champion: true, tolerance: 0.01 }, 0.94, 0.95));
  assert.not.ok(holds({ champion: true, tolerance: 0.01 }, 0.939, 0.95));
  assert.ok(holds({ champion: true, greaterIsBetter: false }, 0.2, 0.3));
  assert.not.ok(holds({ champion: true, greaterIsBetter: false }, 0.3, 0.2));
  assert.ok(holds({ champion: true, greaterIsBetter: false, tolerance: 0.1 }, 0.3, 0.2));
});

test("fails_when_the_champion_has_no_number", () => {
  assert.not.ok(holds({ champion: true }, 0.95, NaN));
  assert.not.ok(holds({ champion: true, greaterIsBetter: false }, 0.95, Infinity));
});

test("asks_for_all_that_a_gate_names", () => {
  assert.not.ok(holds({ minimum: 0.9, champion: true }, 0.92, 0.95));
  assert.not.ok(holds({ minimum: 0.97, champion: true }, 0.96, 0.95));
  assert.ok(holds({ minimum: 0.9, champion: true }, 0.96, 0.95));
});

test("rejects_gates_that_can_stop_nothing", () => {
  const gate = (text: string): string =>
    raises("CONFIG", () =>
      resolveConfig({ pyproject: `[[tool.slipway.model.gates]]\nmetric = "m"\n${text}\n` }),
    );
  assert.match(gate(""), "a gate that asks for nothing stops nothing");
  assert.match(gate("minimum = 2\nmaximum = 1"), "a minimum that is not above the maximum");
  assert.match(gate("minimum = 1\ntolerance = -1"), "expected 0 or more");
});

test.run();
