/** What dagger.json says of the engine that a module was made for. */
export interface ModuleAge {
  engineVersion?: string;
  disableDefaultFunctionCaching?: boolean;
}

/** The first version for whose modules Dagger keeps results of functions beyond the session. */
const SINCE = [0, 19, 4] as const;

/**
 * Whether results of a module's functions outlive the session: modules made for an older engine, or
 * for one that is not said, have them for a session only. What dagger.json says itself comes first.
 */
export function keepsResults({ engineVersion, disableDefaultFunctionCaching }: ModuleAge): boolean {
  if (disableDefaultFunctionCaching !== undefined) return !disableDefaultFunctionCaching;
  if (engineVersion === "latest") return true;
  const found = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?$/.exec(engineVersion ?? "");
  if (!found) return false;
  const version = found.slice(1).map((part: string | undefined) => Number(part ?? 0));
  const differs = SINCE.findIndex((part, index) => version[index] !== part);
  return differs < 0 || (version[differs] ?? 0) > (SINCE[differs] ?? 0);
}
