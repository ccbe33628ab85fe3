import { withLock } from "../cache.js";
import { SandboxError } from "../failure.js";
import { seconds } from "../toolchain.js";
import { ensureTool } from "../tools.js";
import { findImage, makeImage } from "./build.js";
import { title, type ImageSpec } from "./table.js";

/** Images made at the same time; most of the time of each is one core's. */
const PARALLEL = 2;

interface Making {
  /** Registry to push to, `host:port`. */
  address: string;
  /** Makes those again that are there. @default false */
  force?: boolean;
  /** Gets a line for each that is made. */
  say: (line: string) => void;
}

/** Makes those of `images` that the registry does not have. */
export async function ensureImages(
  images: ImageSpec[],
  { address, force = false, say }: Making,
): Promise<void> {
  const found = await Promise.all(images.map((image) => findImage(image, address)));
  const queue = images.filter((_, index) => force || found[index] === undefined);
  if (queue.length === 0) return;
  await ensureTool("crane", say);
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let image = queue.shift(); image; image = queue.shift()) {
      const began = Date.now();
      say(`${title(image)} …`);
      try {
        const made = image;
        await withLock(
          `image-${made.name.replaceAll("/", "-")}-${made.tags[0]}`,
          async () => {
            // Somebody else may have made it while this one waited for the lock.
            if (!force && (await findImage(made, address))) return;
            if (made.from === "program") await ensureTool(made.tool, say);
            await makeImage(made, address);
          },
          () => {
            say(`${title(made)}: another command is making it; waiting …`);
          },
        );
        say(`${title(image)} … ${seconds(began)}`);
      } catch (error) {
        say(`${title(image)} … failed after ${seconds(began)}`);
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  // One that fails does not take the others with it; a second run makes only what is missing.
  if (failures.length > 0)
    throw new SandboxError(failures.map(asText).join("\n"), "Then run it again.");
}

/** What a failure says to a person. */
export function asText(error: unknown): string {
  return error instanceof SandboxError ? error.message : String(error);
}
