import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("relay");
const RELAY = fileURLToPath(new URL("../../../ci/engine/exec/relay.mjs", import.meta.url));

test("adds_no_words_of_its_own_to_a_connection_that_is_reset", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-relay-"));
  const path = join(folder, "relay.sock");
  const relay = spawn(process.execPath, [RELAY, path], { stdio: ["ignore", "pipe", "inherit"] });
  const server = createServer((guest) => {
    guest.once("data", () => guest.resetAndDestroy());
  }).listen(0, "127.0.0.1");
  try {
    await once(relay.stdout, "data");
    const client = connect(path);
    let said = "";
    client.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      client.write("x");
    });
    client.on("error", () => undefined);
    const { port } = server.address() as AddressInfo;
    client.write(`${JSON.stringify({ connect: { host: "127.0.0.1", port } })}\n`);
    await once(client, "close");
    assert.is(said, "ok\n");
  } finally {
    relay.kill();
    server.close();
    await rm(folder, { recursive: true });
  }
});

test.run();
