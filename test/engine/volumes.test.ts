import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lockVolumes, type Volume } from "../../ci/engine/api/cache.js";

const test = suite("locked volumes");
const { signal } = new AbortController();
const locked = (key: string): Volume => ({ key, path: `/${key}`, locks: true });

test("one that is locked is waited for", async () => {
  const free = await lockVolumes([locked("a")], signal);
  const order: string[] = [];
  const second = lockVolumes([locked("a")], signal).then((release) => {
    order.push("second");
    release();
  });
  await sleep(20);
  order.push("first");
  free();
  await second;
  assert.equal(order, ["first", "second"]);
});

test("one that is shared is not waited for", async () => {
  const shared = { ...locked("a"), locks: false };
  const free = await lockVolumes([shared], signal);
  (await lockVolumes([shared], signal))();
  free();
});

test("two commands that want the same two in another order do not block each other", async () => {
  const [a, b] = [locked("a"), locked("b")];
  const use = async (volumes: readonly Volume[]): Promise<void> => {
    const free = await lockVolumes(volumes, signal);
    await sleep(5);
    free();
  };
  await Promise.all([use([a, b]), use([b, a]), use([a, b]), use([b, a])]);
});

test("who is cancelled waits no longer, and holds nothing", async () => {
  const free = await lockVolumes([locked("b")], signal);
  const cancelled = new AbortController();
  const waiting = lockVolumes([locked("a"), locked("b")], cancelled.signal);
  cancelled.abort(new Error("enough"));
  const reason = await waiting.catch((error: unknown) => error);
  assert.is((reason as Error).message, "enough");
  (await lockVolumes([locked("a")], signal))();
  free();
});

test.run();
