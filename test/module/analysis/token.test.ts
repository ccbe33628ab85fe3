// metrics.py: to whom the bearer token goes.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("metrics.py");

const PROGRAMS = fileURLToPath(new URL("../../../src/stages/python", import.meta.url));

/** Asks as load.py does, with the token of another place. */
const ASK = `
import json, pathlib, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import metrics
metrics.TOKEN = pathlib.Path(sys.argv[2])
for one in json.loads(sys.argv[3]):
    metrics.ask(one)
`;

test("gives_the_token_with_those_queries_alone_that_it_is_for", async () => {
  const got: Record<string, string | undefined> = {};
  const server = createServer((request, response) => {
    got[request.url ?? ""] = request.headers.authorization;
    response.end("1");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const folder = await mkdtemp(join(tmpdir(), "slipway-token-"));
  try {
    const token = join(folder, "token");
    await writeFile(token, "canary-token\n");
    const { port } = server.address() as AddressInfo;
    const asked = ["mine", "other"].map((name) => ({
      ...{ query: 0, track: "canary", token: name === "mine" },
      url: `http://127.0.0.1:${port}/${name}`,
    }));
    await promisify(execFile)("python3", ["-c", ASK, PROGRAMS, token, JSON.stringify(asked)]);
    assert.equal(got, { "/mine": "Bearer canary-token", "/other": undefined });
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
});

test.run();
