import { ensureTool } from "../../../ci/sandbox/tools.js";
import type { Credentials } from "../../../ci/sandbox/registry.js";
import { run } from "../../../ci/sandbox/run.js";

/** What a registry answers about an image, asked by skopeo. */
export interface Inspected {
  readonly Digest: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Layers: readonly string[];
}

/** Asks a registry on loopback with a client that knows nothing of Slipway. */
export async function inspect(reference: string, login?: Credentials): Promise<Inspected> {
  const known = login ? [`--creds=${login.user}:${login.password}`] : ["--no-creds"];
  const words = ["inspect", "--tls-verify=false", ...known, `docker://${reference}`];
  const text = await run("skopeo", words);
  return JSON.parse(text) as Inspected;
}

/** Downloads a published image and compares every digest and size in it; rejects on the first that is wrong. */
export async function validate(reference: string): Promise<void> {
  await run(await ensureTool("crane"), ["validate", "--insecure", "--remote", reference]);
}
