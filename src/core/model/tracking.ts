import { SlipwayError } from "../errors.js";

/** Where a container asks an MLflow server. */
export interface Tracking {
  /** As it is configured, for messages. */
  readonly uri: string;
  /** The address that a container uses. */
  readonly base: string;
  /** The name that the server knows itself by, where the container has another one for it. */
  readonly host?: string;
  readonly warnings: readonly string[];
}

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads the address of an MLflow server.
 *
 * @param alias Name that stands for the caller's own machine in a container, where there is one.
 * @param credentials Whether a token or password is sent along.
 * @throws SlipwayError USAGE when it is none that can be asked.
 */
export function trackingOf(
  uri: string,
  { alias, credentials }: { alias?: string | undefined; credentials: boolean },
): Tracking {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new SlipwayError(
      "USAGE",
      `model.tracking (MLFLOW_TRACKING_URI) is "${uri.replace(/\/\/[^/]*@/, "//***@")}": expected the address of an MLflow server, https:// or http://. Stores without a server (sqlite:, file:) and databricks: are not asked.`,
    );
  if (url.username !== "" || url.password !== "")
    throw new SlipwayError(
      "USAGE",
      "model.tracking (MLFLOW_TRACKING_URI) holds a user or a password; give those as the secret modelToken, user:password.",
    );
  const base = new URL(url);
  if (alias !== undefined) base.hostname = alias;
  const open = url.protocol === "http:" && credentials && !LOOPBACK.test(url.hostname);
  return {
    uri,
    base: base.href.replace(/\/$/, ""),
    ...(alias !== undefined && { host: url.host }),
    warnings: open ? [`credentials go to ${url.host} unencrypted: use https://`] : [],
  };
}
