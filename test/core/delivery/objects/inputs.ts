import { configSchema } from "../../../../src/core/config/schema.js";
import type { ObjectInputs } from "../../../../src/core/delivery/objects/types.js";

/** Objects' inputs of a service "iris" with these settings of `deploy`. */
export function inputs(
  deploy: Record<string, unknown> = {},
  more: Partial<ObjectInputs> = {},
): ObjectInputs {
  return {
    name: "iris",
    namespace: "shop",
    image: `registry.example/team/iris@sha256:${"a".repeat(64)}`,
    release: 7,
    port: 8000,
    config: configSchema.parse({ deploy }).deploy,
    healthcheck: "/healthz",
    user: 10_001,
    annotations: { "slipway.dev/commit": "4f1c" },
    environment: {},
    ...more,
  };
}
