import { ensurePrograms } from "./cluster/programs.js";
import { ensureImages } from "./images/ensure.js";
import { K3S, PAUSE } from "./images/table.js";
import { ensureRegistry } from "./registry.js";

/** Makes the image that stands in for k3s, unless the registry has it. */
export async function ensureK3s(say: (line: string) => void): Promise<void> {
  await ensurePrograms(say);
  const { address } = await ensureRegistry(say);
  await ensureImages([PAUSE], { address, say });
  await ensureImages([K3S], { address, say });
}
