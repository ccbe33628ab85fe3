// What the test kills: an engine with an execution, a service, a tunnel and a port of the host open.
import { Machine } from "./machine.js";

const machine = await Machine.start();
console.log(`folder ${machine.folder}`);
const script = "httpd -p 80; sleep 86400 & sleep 86400";
const service = await machine.runner.startService(machine.spec(["sh", "-c", script]), [
  { port: 80, protocol: "tcp" },
]);
await machine.runner.tunnel(service.ip, [{ backend: 80, frontend: 0 }]);
await machine.runner.exposeHost([{ backend: 9, frontend: 9 }]);
const busy = Array.from({ length: 3 }, async () => {
  for (;;) await (await machine.sh("sleep 0.1; (sleep 86400 &)")).rootfs.discard();
});
console.log("ready");
await Promise.all(busy);
