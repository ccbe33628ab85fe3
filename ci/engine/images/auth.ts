import { ImageError } from "./failure.js";
import type { Http } from "./http.js";
import { isLoopback } from "./reference.js";
import type { Repository, Credentials } from "./types.js";

/** The Authorization header that answers a registry's challenge. */
export async function authorize(
  http: Http,
  repository: Repository,
  challenge: string | string[],
  credentials: ((registry: string) => Credentials | undefined) | undefined,
  signal: AbortSignal | undefined,
): Promise<string> {
  const [, kind = "", rest = ""] = /^(\w+)\s*(.*)$/s.exec([challenge].flat()[0] ?? "") ?? [];
  const login = credentials?.(repository.host);
  const basic =
    login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  if (kind.toLowerCase() === "basic") return basic ?? refuse(repository);
  if (kind.toLowerCase() !== "bearer") {
    throw new ImageError(
      `${repository.shown} asks for "${kind}" authentication, which is not supported`,
    );
  }
  const fields = new Map(
    [...rest.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const realm = new URL(fields.get("realm") ?? "", repository.base);
  if (
    realm.protocol !== "https:" &&
    !isLoopback(realm.host) &&
    repository.base.protocol === "https:"
  ) {
    throw new ImageError(
      `${repository.shown} wants a login over plain http at ${realm.host}: refused`,
    );
  }
  const service = fields.get("service");
  if (service) realm.searchParams.set("service", service);
  const name = repository.base.pathname.replace(/^\/v2\/|\/$/g, "");
  realm.searchParams.set("scope", `repository:${name}:${repository.actions}`);
  const headers = basic ? { authorization: basic } : {};
  const answer = await http.send(realm, { headers, signal });
  if (answer.statusCode !== 200) {
    await answer.body.dump();
    if (answer.statusCode === 401 || answer.statusCode === 403) return refuse(repository, !login);
    throw new ImageError(`The login service of ${repository.shown} answered ${answer.statusCode}`);
  }
  const body = (await answer.body.json()) as { token?: string; access_token?: string };
  const token = body.token ?? body.access_token;
  if (!token) throw new ImageError(`The login service of ${repository.shown} gave no token`);
  return `Bearer ${token}`;
}

function refuse(repository: Repository, anonymous = true): never {
  const why = anonymous ? "it wants credentials, and none were given" : "the credentials are wrong";
  throw new ImageError(
    `${repository.shown} refused access (401): ${why}. Give credentials for ${repository.host} (withRegistryAuth).`,
    401,
  );
}
