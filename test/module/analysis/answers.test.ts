// What metrics.py, smoke.py and load.py make of answers that break off, or are no HTTP.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const HELPERS = fileURLToPath(new URL("../../../src/stages/python", import.meta.url));

const CUT = {
  "an answer by length": "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n12",
  "an answer in chunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n12",
  "an error by length": "HTTP/1.1 503 Away\r\nContent-Length: 40\r\n\r\n12",
  "an error in chunks": "HTTP/1.1 503 Away\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n12",
  "no HTTP": "SSH-2.0-OpenSSH_9.2\r\n",
};
const WELL = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n12";

const test = suite("answers that break off");
const servers: Server[] = [];
test.after(() => {
  for (const server of servers) server.close();
});

/** A port that answers each connection with the next of these, the last of them from then on. */
async function answering(...texts: readonly string[]): Promise<number> {
  let count = 0;
  const server = createServer((socket) => {
    const text = texts[Math.min(count++, texts.length - 1)] ?? "";
    socket.once("data", () => socket.end(text));
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function python<T>(program: string, ...given: readonly unknown[]): Promise<T> {
  const { stdout } = await promisify(execFile)(
    "python3",
    ["-c", `import json, sys\n${program}`, ...given.map((each) => JSON.stringify(each))],
    { env: { ...process.env, PYTHONPATH: HELPERS } },
  );
  return JSON.parse(stdout) as T;
}

interface Sample {
  readonly status: number;
  readonly body: string;
  readonly error: string;
}

const ASK = "from metrics import ask\nprint(json.dumps(ask(json.loads(sys.argv[1]))))";

test("is_an_error_of_the_query_when_a_metrics_server_does_not_answer_whole", async () => {
  const ask = async (port: number): Promise<Sample> =>
    await python(ASK, {
      query: 0,
      track: "canary",
      token: false,
      url: `http://127.0.0.1:${port}/`,
    });
  for (const [what, text] of Object.entries(CUT)) {
    const { status, body, error } = await ask(await answering(text));
    assert.equal([status, body], [0, ""], what);
    assert.match(error, /IncompleteRead|SSH/, what);
  }
  assert.equal(await ask(await answering(WELL)), {
    ...{ query: 0, track: "canary", status: 200, body: "12", error: "" },
  });
});

const ATTEMPT =
  "from smoke import attempt\nprint(json.dumps(attempt(*[json.loads(one) for one in sys.argv[1:]])))";

test("tries_a_smoke_request_again_whose_answer_was_not_whole", async () => {
  const attempt = async (port: number): Promise<{ ok: boolean; tries: number; why: string }> =>
    await python(
      ATTEMPT,
      { pod: "orders-1", port },
      { host: "orders", retries: 1 },
      { method: "GET", path: "/readyz", status: 200 },
    );
  for (const [what, text] of Object.entries(CUT)) {
    const again = await attempt(await answering(text, WELL));
    assert.equal([again.ok, again.tries], [true, 2], what);
  }
  const never = await attempt(await answering(CUT["no HTTP"]));
  assert.equal([never.ok, never.tries], [false, 2]);
  assert.match(never.why, "no answer: SSH-2.0");
});

const POLL = `
import threading, metrics
def ask(one):
    raise RuntimeError("unforeseen")
metrics.ask = ask
from load import poll
samples = []
poll(json.loads(sys.argv[1]), samples, threading.Event(), 0)
print(json.dumps(samples))`;

test("has_an_error_for_each_query_whatever_happened_to_it", async () => {
  const asked = [{ query: 0, track: "canary", token: false, url: "" }];
  assert.equal(await python(POLL, { asked, polls: [0, 0.1], end: 5 }), [
    { query: 0, track: "canary", status: 0, body: "", error: "the query was not answered" },
    { query: 0, track: "canary", status: 0, body: "", error: "the query was not answered" },
  ]);
});

test.run();
