import { access, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runBeside } from "./beside.js";
import { CA_BUNDLE, variables } from "./config.js";
import { requireEverything } from "./doctor.js";
import { Forwards } from "./forwards.js";
import { launch, type Launched } from "./launch.js";
import { Network } from "./network.js";
import { commandWords, OutputRecorder } from "./output.js";
import { prepare, type Prepared, type Surroundings } from "./prepare.js";
import type { Runtime } from "./runtime.js";
import { askToEnd, ServiceOutput, untilChecked, untilHealthy } from "./service.js";
import type { ExecStorage } from "./storage.js";
import { removeStubs } from "./stubs.js";
import type {
  ExecResult,
  ExecSpec,
  Forward,
  HealthCheck,
  PortForward,
  RunnerOptions,
  RunningService,
  RunOptions,
  ServiceExit,
  ServicePort,
} from "./types.js";

/** What Dagger gives a service between SIGTERM and SIGKILL. */
const GRACE_MS = 10_000;

/** Runs processes in containers. Everything that it starts ends with this process, also when that is killed. */
export class Runner {
  private readonly running = new Set<Launched>();

  private constructor(
    private readonly around: Surroundings,
    private readonly runtime: string,
    private readonly forwards: Forwards,
  ) {}

  /** Throws `DoctorError` when this machine cannot run containers, naming everything that is missing. */
  static async create(storage: ExecStorage, options: RunnerOptions): Promise<Runner> {
    const { root, hostEnv = process.env } = options;
    const { runtime } = await requireEverything(root);
    const bundle = join(root, "bundle");
    await mkdir(bundle, { recursive: true, mode: 0o700 });
    const trusted = hostEnv.SSL_CERT_FILE ?? CA_BUNDLE;
    const caBundle = await access(trusted).then(
      () => trusted,
      () => undefined,
    );
    const network = await Network.create(root);
    const status = await readFile("/proc/self/status", "utf8");
    const available = BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(status)?.[1] ?? "0"}`);
    const around = { storage, network, bundle, hostEnv, available, caBundle };
    return new Runner(around, runtime, new Forwards(root, network));
  }

  /**
   * Runs `spec` to its end. An exit code other than 0 is a result; a command that cannot be started ends with 1 and
   * a message on stderr, as in Dagger. Rejects when the container cannot be made, or with the signal's reason.
   */
  async run(spec: ExecSpec, options: RunOptions = {}): Promise<ExecResult> {
    const recorder = new OutputRecorder(
      this.around.storage.blobs,
      options.secrets ?? [],
      options.onOutput,
    );
    const started = await this.start(spec, options.signal);
    const { process, prepared } = started;
    try {
      const stderr = commandWords(process.stderr, spec.args[0] ?? "", process.exited);
      const [{ exitCode, failure }] = await Promise.all([
        process.exited,
        recorder.record("stdout", process.stdout),
        recorder.record("stderr", stderr),
      ]).catch((error: unknown) => {
        options.signal?.throwIfAborted();
        throw error;
      });
      options.signal?.throwIfAborted();
      const [outputs] = await Promise.all([
        recorder.finish(),
        removeStubs(prepared.rootfs.upper, prepared.stubs),
      ]);
      const { rootfs, mounts } = prepared;
      return { exitCode: failure === undefined ? exitCode : 1, ...outputs, rootfs, mounts };
    } catch (error) {
      recorder.abandon();
      process.kill();
      await process.exited;
      await prepared.discard();
      throw error;
    } finally {
      started.end();
    }
  }

  /**
   * Starts a service and resolves when all its TCP ports answer, or when its health check succeeds. Rejects when it
   * ends before that, with its last output. The caller shares it between clients, and stops it. What it writes is
   * thrown away.
   */
  async startService(
    spec: ExecSpec,
    up: readonly ServicePort[] | HealthCheck,
    options: RunOptions = {},
  ): Promise<RunningService> {
    const output = new ServiceOutput(options);
    const { process, prepared, runtime, end } = await this.start(spec, options.signal);
    const stderr = commandWords(process.stderr, spec.args[0] ?? "", process.exited);
    const exited = Promise.allSettled([
      output.read("stdout", process.stdout),
      // A service has no one to throw to: what keeps it from starting is the last thing it says.
      output.read("stderr", stderr).catch((error: unknown) => {
        output.add("stderr", Buffer.from(`${String(error)}\n`));
      }),
    ]).then(async (): Promise<ServiceExit> => {
      const { exitCode } = await process.exited;
      await prepared.discard();
      end();
      return { exitCode, tail: output.toString() };
    });
    const { ip } = prepared.slot;
    try {
      if ("args" in up) {
        const { bundle } = this.around;
        const own = { ...prepared.config.process, args: up.args, env: variables(up.env) };
        const place = { pid: process.pid, bundle, runtime };
        const check = () => runBeside(place, own, options.secrets);
        await untilChecked(up, check, exited);
      } else await untilHealthy(up, (port) => this.forwards.probe(ip, port), exited);
      options.signal?.throwIfAborted();
    } catch (error) {
      process.kill();
      await exited;
      throw options.signal?.aborted === true ? options.signal.reason : error;
    }
    const stop = async (kill = false): Promise<void> => {
      if (!kill) await askToEnd(process, exited, GRACE_MS);
      process.kill();
      await exited;
    };
    return { ip, exited, stop };
  }

  /** Makes TCP ports of `host`, as seen from this machine, reachable for containers at an address of their network. */
  exposeHost(ports: readonly PortForward[], host = "127.0.0.1"): Promise<Forward> {
    return this.forwards.expose(ports, host);
  }

  /** Makes TCP ports of a service reachable on this machine's loopback. */
  tunnel(ip: string, ports: readonly PortForward[]): Promise<Forward> {
    return this.forwards.tunnel(ip, ports);
  }

  /** Ends everything that runs. */
  async close(): Promise<void> {
    for (const process of this.running) process.kill();
    await Promise.all([...this.running].map(({ exited }) => exited));
    await this.forwards.close();
    await this.around.network.close();
  }

  /** `end` is to be called when the process and its output are over. */
  private async start(
    spec: ExecSpec,
    signal: AbortSignal | undefined,
  ): Promise<{ process: Launched; prepared: Prepared; runtime: Runtime; end: () => void }> {
    signal?.throwIfAborted();
    const prepared = await prepare(this.around, spec);
    const { network, storage, bundle } = this.around;
    const tainted = spec.insecureRootCapabilities === true;
    try {
      signal?.throwIfAborted();
      const id = `slipway-${globalThis.process.pid}-${prepared.slot.ip}`;
      const runtime = { name: this.runtime, id };
      const process = await launch(storage, { runtime, bundle, ...prepared });
      const abort = (): void => {
        process.kill();
      };
      this.running.add(process);
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted === true) abort();
      const end = (): void => {
        this.running.delete(process);
        signal?.removeEventListener("abort", abort);
        network.release(prepared.slot, tainted);
      };
      return { process, prepared, runtime, end };
    } catch (error) {
      network.release(prepared.slot, true);
      await prepared.discard();
      throw error;
    }
  }
}
