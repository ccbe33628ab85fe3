/** Variables that tell the command or the engine something, not the module. */
const OWN = [
  "SLIPWAY_CACHE",
  "SLIPWAY_CACHE_BUDGET",
  "SLIPWAY_MIRRORS",
  "SLIPWAY_EVENTS_FD",
  "SLIPWAY_SESSION_TOKEN",
  "SLIPWAY_REGISTRY_PORT",
];

/** What of a CI run a module may want to know. Run numbers are not among them: they change what is cached. */
const CI_FACTS = ["GITHUB_SHA", "GITHUB_REF", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL"];

/** Variables of other tools that set a key of the configuration. */
const KNOWN = [...CI_FACTS, "MLFLOW_TRACKING_URI", "REGISTRY_HOST", "REGISTRY_REPO"];

/** Keys of the configuration whose variables only look as if they held a secret. */
const SETTINGS = [
  "SLIPWAY_VERIFY_KEY",
  "SLIPWAY_SCAN_SECRETS",
  "SLIPWAY_DEPLOY_SECRETS",
  "SLIPWAY_DEPLOY_PULLSECRET",
];

/** Names that hold secrets, which are given as Secrets or not at all. */
const SECRET = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|(^|_)KEY($|_)/;

/** `NAME=value` of the variables that a module is told of: SLIPWAY_*, MODEL_*, the registries and facts of the CI run. */
export function forwarded(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env)
    .filter(
      ([name, value]) =>
        value !== undefined &&
        value !== "" &&
        (/^(SLIPWAY|MODEL)_/.test(name) || KNOWN.includes(name)) &&
        !OWN.includes(name) &&
        (SETTINGS.includes(name) || !SECRET.test(name)),
    )
    .map(([name, value]) => `${name}=${value ?? ""}`)
    .sort();
}
