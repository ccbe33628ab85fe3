import { EngineError } from "../../graph/errors.js";
import { parseExec, type Stage } from "./stage.js";
import { flagged } from "./words.js";

const FLAGS = ["interval", "timeout", "start-period", "start-interval", "retries"];

/** HEALTHCHECK: a command with its times, or that there is none whatever the base image says. */
export function healthcheck(stage: Stage, text: string): void {
  const { flags, rest } = flagged(text);
  const [, kind = "", command = ""] = /^(\S+)\s*(.*)$/s.exec(rest) ?? [];
  if (kind.toUpperCase() === "NONE") {
    stage.add("__image", { config: { Healthcheck: { Test: ["NONE"] } } });
    return;
  }
  if (kind.toUpperCase() !== "CMD") {
    throw new EngineError(`Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  }
  const options = new Map(
    flags.map((flag) => {
      const [name = "", value = ""] = flag.split(/=(.*)/s, 2);
      if (!FLAGS.includes(name)) throw new EngineError(`unknown flag: ${name}`);
      return [name, value];
    }),
  );
  const exec = parseExec(command);
  if (command === "" || exec?.length === 0) {
    throw new EngineError("Missing command after HEALTHCHECK CMD");
  }
  const retries = options.get("retries");
  stage.add("withDockerHealthcheck", {
    args: exec ?? [command],
    shell: exec === undefined,
    interval: options.get("interval"),
    timeout: options.get("timeout"),
    startPeriod: options.get("start-period"),
    startInterval: options.get("start-interval"),
    ...(retries !== undefined && { retries: Number(retries) }),
  });
}
