// What the cluster keeps of the releases, after a hundred of them.
import { suite } from "uvu";
import * as assert from "uvu/assert";

import { plays } from "./support/cases.js";
import { isAlone, refused, serves } from "./support/expect.js";
import { record, records } from "./support/records.js";
import { openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("history");
test.after(stage.close);

const QUICK = {
  deploy: { steps: [{ weight: 50, analysis: false }], drain: 1, keep: 1, history: 5 },
};

plays(test, stage, 3, {
  after_a_hundred_releases_the_last_ones_are_kept_and_the_way_back_works: {
    ...QUICK,
    play: async (service) => {
      await service.start();
      const [first] = await records(service);
      assert.ok(first);
      // As if 98 more had come and gone since.
      const since = Array.from({ length: 98 }, (_, index) => ({
        ...first,
        number: index + 2,
        status: "superseded" as const,
      }));
      await record(service, ...since);
      assert.is((await records(service)).length, 99);

      const next = await service.deploy("v2");
      assert.is(next.code, 0, next.text);
      const kept = await records(service);
      assert.is(kept.length, 5);
      assert.equal(
        kept.map((each) => each.number),
        [96, 97, 98, 99, 100],
      );
      await isAlone(service, 100);
      await serves(service, await service.call("rollback"), 101);
      assert.is((await records(service)).length, 5);
    },
  },

  a_canary_that_waits_for_too_long_is_not_promoted_any_more: {
    ...QUICK,
    play: async (service) => {
      await service.start();
      const reference = await service.reference("v2");
      assert.is((await service.call("deployCanary", { reference })).code, 0);
      const waiting = (await records(service)).at(-1);
      assert.ok(waiting);
      const waitingAt = new Date(Date.now() - 25 * 3_600_000).toISOString();
      await record(service, { ...waiting, waitingAt });
      refused(await service.call("promote"), /longer than 24 hours \(deploy\.maxAge\)/);
      assert.is((await service.scene())?.weight, 50);
      const aborted = await service.call("abort");
      assert.is(aborted.code, 0, aborted.text);
      await isAlone(service, 1);
    },
  },

  a_record_that_cannot_be_read_stops_everything_and_is_named: {
    ...QUICK,
    play: async (service) => {
      await service.start();
      const broken = JSON.stringify({ data: { release: "AAAA" } });
      await service.kubectl(["patch", "secret", "slipway.iris.v1", `--patch=${broken}`]);
      const ended = await service.deploy("v2");
      assert.is.not(ended.code, 0);
      assert.match(
        ended.text,
        /The Secret slipway\.iris\.v1, which keeps a release, cannot be read/,
      );
      await isAlone(service, 1);
    },
  },
});

test.run();
