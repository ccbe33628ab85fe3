import { EngineError } from "../graph/errors.js";
import type { Platform } from "../images/types.js";
import type { Call } from "../session.js";

/** A platform that was written down, or the engine's own. */
export function platformOf(text: string | undefined, call: Call): Platform {
  if (!text) return call.session.engine.platform;
  const [os = "", architecture = "", variant] = text.split("/");
  if (os === "" || architecture === "") {
    throw new EngineError(`invalid platform ${JSON.stringify(text)}: write it like linux/amd64`);
  }
  return { os, architecture, ...(variant && { variant }) };
}

export function platformText({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join("/");
}
