import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Runner } from "../../../ci/engine/exec/runner.js";
import type {
  ExecSpec,
  HealthCheck,
  RunnerOptions,
  RunOptions,
  ServiceExit,
} from "../../../ci/engine/exec/types.js";
import type { LayerDraft, Snapshot } from "../../../ci/engine/store/types.js";
import { busyboxRoot, Folders } from "./folders.js";

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly combined: string;
  readonly rootfs: LayerDraft;
  readonly mounts: ReadonlyMap<string, LayerDraft>;
}

/** A runner over a store of plain folders in a temporary folder. */
export class Machine {
  private constructor(
    readonly folder: string,
    readonly store: Folders,
    readonly runner: Runner,
    /** A root file system with busybox. */
    readonly base: Snapshot,
  ) {}

  static async start(hostEnv: NonNullable<RunnerOptions["hostEnv"]> = {}): Promise<Machine> {
    const folder = await mkdtemp(join(tmpdir(), "slipway-exec-"));
    const store = await Folders.create(folder);
    const base = await store.layer("base", busyboxRoot);
    const runner = await Runner.create(store, {
      root: join(folder, "run"),
      hostEnv,
    });
    return new Machine(folder, store, runner, base);
  }

  spec(args: string[], more: Partial<ExecSpec> = {}): ExecSpec {
    return { rootfs: this.base, args, env: {}, cwd: "/", user: "", ...more };
  }

  /** A health check that is tried often enough for any machine, unless told. */
  check(script: string, more: Partial<HealthCheck> = {}): HealthCheck {
    const args = ["sh", "-c", script];
    return { args, env: {}, every: 50, startPeriod: 0, retries: 200, ...more };
  }

  /** How a service ends that takes its leave when it is asked to end. */
  async farewell(): Promise<ServiceExit> {
    const script = "trap 'echo bye; exit 5' TERM; while :; do sleep 0.1; done";
    const service = await this.runner.startService(this.spec(["sh", "-c", script]), []);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await service.stop();
    return await service.exited;
  }

  async run(args: string[], more: Partial<ExecSpec> = {}, options?: RunOptions): Promise<Outcome> {
    const result = await this.runner.run(this.spec(args, more), options);
    const [stdout, stderr, combined] = await Promise.all([
      this.store.text(result.stdout),
      this.store.text(result.stderr),
      this.store.text(result.combined),
    ]);
    return { ...result, stdout, stderr, combined };
  }

  sh(script: string, more?: Partial<ExecSpec>, options?: RunOptions): Promise<Outcome> {
    return this.run(["sh", "-c", script], more, options);
  }

  async stop(): Promise<void> {
    await this.runner.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
