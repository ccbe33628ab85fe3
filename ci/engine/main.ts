import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { sdkBundle } from "./modules/compile.js";
import { endEarly, startEarly } from "./modules/process.js";
import { engineOptions } from "./options.js";

/** Services get ten seconds to end. */
const CLOSE_TIMEOUT_MS = 15_000;

/**
 * The embedded engine as a process. Prints one line of JSON, `{"port":…,"session_token":…}`, when
 * it is ready, as `dagger session` does. Steps go to file descriptor 3 as lines of JSON, if that
 * is open. Ends, and takes everything it runs with it, when standard input ends or on a signal. The
 * process of the module in the folder SLIPWAY_EAGER starts first: it takes as long as the engine does.
 */
async function main(): Promise<void> {
  const token = process.env.SLIPWAY_SESSION_TOKEN ?? randomBytes(16).toString("hex");
  delete process.env.SLIPWAY_SESSION_TOKEN;
  const options = engineOptions();
  if (options.eager !== undefined) startEarly(await sdkBundle());
  const { Engine } = await import("./engine.js");
  const { serveSession } = await import("./server.js");
  const engine = await Engine.open(options);
  if (process.env.SLIPWAY_EVENTS_FD) {
    const fd = Number(process.env.SLIPWAY_EVENTS_FD);
    engine.events.watch((event) => {
      try {
        writeSync(fd, `${JSON.stringify(event)}\n`);
      } catch {
        // The watcher is gone; the work is not for it alone.
      }
    });
  }
  const server = await serveSession(engine, { token, cwd: process.cwd() });
  let closing = false;
  const close = (code: number) => {
    if (closing) return;
    closing = true;
    endEarly();
    // What does not end in time is ended with this process, by the kernel.
    setTimeout(() => process.exit(code), CLOSE_TIMEOUT_MS).unref();
    server
      .close()
      .then(() => engine.close())
      .then(
        () => process.exit(code),
        (error: unknown) => {
          console.error((error as Error).message);
          process.exit(3);
        },
      );
  };
  process.on("SIGINT", () => {
    close(130);
  });
  process.on("SIGTERM", () => {
    close(143);
  });
  process.stdin.on("end", () => {
    close(0);
  });
  process.stdin.resume();
  console.log(JSON.stringify({ port: server.port, session_token: token }));
  // Nearly every session reads an image: the protocol's code is loaded while the client connects.
  void import("./images/index.js");
}

main().catch((error: unknown) => {
  console.error((error as Error).message);
  process.exit(3);
});
