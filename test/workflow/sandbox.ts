import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Run } from "./workflow.js";

/** Folders for runs of the workflow, with a `dagger` that does as told. */
export class Sandbox {
  private made = 0;
  private log = "";

  private constructor(private readonly root: string) {}

  static async create(): Promise<Sandbox> {
    return new Sandbox(await mkdtemp(join(tmpdir(), "slipway-workflow-")));
  }

  remove(): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }

  /** A run whose `dagger` is this shell script. */
  async run(script: string): Promise<Run> {
    const folder = join(this.root, String(++this.made));
    const run: Run = {
      workspace: join(folder, "work"),
      temp: join(folder, "temp"),
      bin: join(folder, "bin"),
    };
    for (const path of [run.workspace, run.temp, run.bin]) await mkdir(path, { recursive: true });
    const dagger = join(run.bin, "dagger");
    await writeFile(dagger, `#!/usr/bin/env bash\nset -eu\n${script}\n`);
    await chmod(dagger, 0o755);
    return run;
  }

  /**
   * A `dagger` that records its words and leaves a report with this state, or fails; `released` is
   * what a release leaves of its evidence, or how it fails.
   */
  async recorded(
    end: { state: string; released?: object | number } | { exitCode: number },
  ): Promise<Run> {
    this.log = join(this.root, `${this.made}.log`);
    const record = `printf '%s\\0' "$@" >> '${this.log}'; printf '\\n' >> '${this.log}'`;
    if ("exitCode" in end) return await this.run(`${record}\nexit ${end.exitCode}`);
    const report = JSON.stringify({ state: end.state });
    const { released = 1 } = end;
    const evidence =
      typeof released === "number"
        ? [`exit ${released}`]
        : [
            'mkdir -p "$reports/evidence"',
            'echo "# the evidence" > "$reports/evidence/summary.md"',
            `echo '${JSON.stringify(released)}' > "$reports/evidence/evidence.json"`,
          ];
    return await this.run(
      [
        record,
        'reports="${!#}"',
        'mkdir -p "$reports/sarif"',
        `case " $* " in *" release "*) ${evidence.join("; ")}; exit;; esac`,
        'echo "# the summary" > "$reports/summary.md"',
        `echo '${report}' > "$reports/report.json"`,
      ].join("\n"),
    );
  }

  /** The words of each call since the last `recorded`. */
  async calls(): Promise<string[][]> {
    const lines = (await readFile(this.log, "utf8")).trimEnd().split("\n");
    return lines.map((line) => line.split("\0").slice(0, -1));
  }
}
