// Runs inside of the containers' network and connects it with unix sockets of the engine. Plain JavaScript, so that
// it starts without a loader. One connection is one order: a line of JSON, answered by "ok <port>" or a message.
//   {"connect": {"host", "port"}}            then the connection carries the bytes of that one
//   {"listen": {"host", "port", "socket"}}   listens while this connection is open, and passes clients on to `socket`
import { connect, createServer } from "node:net";

/** @param {import("node:net").Socket} a @param {import("node:net").Socket} b */
function join(a, b) {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ]) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    // After a proper end `to` still has to pass on what it was given.
    from.on("close", () => from.readableEnded || to.destroy());
  }
}

/** @param {import("node:net").Socket} client @param {{ host: string, port: number }} to */
function dial(client, to) {
  const server = connect({ ...to, allowHalfOpen: true });
  client.on("error", () => server.destroy());
  client.on("close", () => client.readableEnded || server.destroy());
  const refuse = (/** @type {Error} */ error) => client.end(`${error.message}\n`);
  server.once("error", refuse);
  server.once("connect", () => {
    // From here on the connection carries the server's bytes alone.
    server.off("error", refuse);
    client.write("ok\n");
    join(client, server);
  });
}

/** @param {import("node:net").Socket} client @param {{ host: string, port: number, socket: string }} where */
function listen(client, { host, port, socket }) {
  const server = createServer({ allowHalfOpen: true }, (guest) => {
    join(guest, connect({ path: socket, allowHalfOpen: true }));
  });
  client.on("end", () => client.destroy());
  client.on("close", () => server.close());
  server.once("error", (error) => client.end(`${error.message}\n`));
  server.listen(port, host, () => client.write(`ok ${server.address().port}\n`));
}

createServer({ allowHalfOpen: true }, (client) => {
  let head = Buffer.alloc(0);
  client.on("error", () => client.destroy());
  client.on("data", function read(chunk) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\n");
    if (end < 0) return;
    client.off("data", read);
    client.pause();
    if (head.length > end + 1) client.unshift(head.subarray(end + 1));
    const order = JSON.parse(head.subarray(0, end).toString());
    if (order.connect) dial(client, order.connect);
    else listen(client, order.listen);
    if (order.listen) client.resume();
  });
}).listen(process.argv[2], () => process.stdout.write("ready\n"));
