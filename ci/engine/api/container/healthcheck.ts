import type { HealthCheck } from "../../exec/types.js";
import { EngineError } from "../../graph/errors.js";
import type { ImageConfig } from "../../images/types.js";
import { duration, formatDuration } from "./duration.js";
import { environment, type ContainerValue } from "./value.js";

export interface HealthcheckArgs {
  args: string[];
  shell?: boolean;
  interval?: string;
  timeout?: string;
  startPeriod?: string;
  startInterval?: string;
  retries?: number;
}

export function healthcheck(args: HealthcheckArgs): NonNullable<ImageConfig["Healthcheck"]> {
  return {
    Test: [args.shell ? "CMD-SHELL" : "CMD", ...args.args],
    ...(args.interval && { Interval: duration(args.interval) }),
    ...(args.timeout && { Timeout: duration(args.timeout) }),
    ...(args.startPeriod && { StartPeriod: duration(args.startPeriod) }),
    ...(args.startInterval && { StartInterval: duration(args.startInterval) }),
    ...(args.retries && { Retries: args.retries }),
  };
}

/** What the API says of an image's health check; null when it has none. */
export function healthcheckConfig({ Healthcheck: check }: ImageConfig) {
  const [kind, ...args] = check?.Test ?? [];
  if (!check || kind === undefined || kind === "NONE") return null;
  return {
    args,
    shell: kind === "CMD-SHELL",
    interval: formatDuration(check.Interval),
    timeout: formatDuration(check.Timeout),
    startPeriod: formatDuration(check.StartPeriod),
    startInterval: formatDuration(check.StartInterval),
    retries: check.Retries ?? 0,
  };
}

/** What Dagger waits between two tries, and how many it makes, unless it is told. */
const EVERY_MS = 5000;
const RETRIES = 3;

/**
 * How a service is found to be up that is made of this container; undefined when its ports say it.
 *
 * @throws EngineError when an image says that it has no health check, as Dagger does.
 */
export function healthCheckOf(self: ContainerValue): HealthCheck | undefined {
  const { Healthcheck: check, Shell: shell } = self.config;
  if (!check) return undefined;
  const [kind, ...args] = check.Test ?? [];
  const own = kind === "CMD" ? args : [...(shell ?? ["/bin/sh", "-c"]), ...args];
  if (args.length === 0)
    throw new EngineError(
      "failed to setup docker healthcheck: container does not have a healthcheck command",
    );
  const nanoseconds = [check.StartInterval, check.Interval].find((each) => (each ?? 0) > 0);
  return {
    args: own,
    env: Object.fromEntries(environment(self)),
    every: nanoseconds === undefined ? EVERY_MS : nanoseconds / 1e6,
    startPeriod: (check.StartPeriod ?? 0) / 1e6,
    retries: Math.max(check.Retries ?? 0, 0) || RETRIES,
  };
}
