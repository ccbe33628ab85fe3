import { once } from "node:events";
import { createServer, request } from "node:http";

/**
 * Serves the host's loopback registries to a cluster, for pulling: containerd asks with the name of
 * the registry that it means in `?ns=`. It is served until the process ends.
 *
 * @param {string} host Address to listen on.
 * @param {Record<string, string>} mirrors Where registries are that are not on the loopback, by name.
 * @returns {Promise<string>} Where it is served, `host:port`.
 */
export async function serveRegistries(host, mirrors) {
  const server = createServer((incoming, outgoing) => {
    forward(incoming, outgoing, mirrors);
  });
  server.listen(0, host);
  await once(server, "listening");
  return `${host}:${server.address().port}`;
}

function forward(incoming, outgoing, mirrors) {
  const url = new URL(incoming.url, "http://cluster");
  const registry = url.searchParams.get("ns") ?? "";
  const refuse = (status, message) => {
    const errors = [{ code: "UNAVAILABLE", message }];
    outgoing.writeHead(status, { "content-type": "application/json" });
    outgoing.end(JSON.stringify({ errors }));
  };
  // Nothing else of the host than its loopback's registries is reached.
  const target = /^(127\.0\.0\.1|localhost):\d+$/.test(registry) ? registry : mirrors[registry];
  if (!["GET", "HEAD"].includes(incoming.method) || !/^\/v2(\/|$)/.test(url.pathname)) {
    refuse(405, "only pulling is possible");
    return;
  }
  if (target === undefined) {
    refuse(404, `the sandbox's cluster reaches no registry ${registry}`);
    return;
  }
  url.searchParams.delete("ns");
  const [hostname, port] = target.split(":");
  const headers = { ...incoming.headers, host: target };
  const path = `${url.pathname}${url.search}`;
  const onward = request({ hostname, port, method: incoming.method, path, headers });
  onward.once("response", (response) => {
    outgoing.writeHead(response.statusCode, response.headers);
    response.pipe(outgoing);
    response.once("error", () => outgoing.destroy());
  });
  onward.once("error", (error) => {
    if (outgoing.headersSent) outgoing.destroy();
    else refuse(502, `${target}: ${error.message}`);
  });
  outgoing.once("close", () => onward.destroy());
  incoming.pipe(onward);
}
