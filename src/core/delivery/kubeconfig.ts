import * as z from "zod";
import { parseDocument } from "yaml";

import { credentialsOf, pathProblem, user, type Credentials, type User } from "./credentials.js";

/** What a kubeconfig says, as far as one context of it goes. */
export interface Kubeconfig {
  /** That context alone, with the cluster and the user that it names; JSON, which is YAML too. Empty when there are problems. */
  readonly text: string;
  /** URL of the API server. */
  readonly server: string;
  readonly context: string;
  readonly namespace?: string;
  /** The user's name in the kubeconfig. */
  readonly user: string;
  /** Token, client key and the like: what must not appear anywhere. */
  readonly secrets: readonly string[];
  /** When the token or the client's certificate runs out, whichever is first. */
  readonly expires?: Date;
  /** Why it cannot be used, all of it. No secret is in it. */
  readonly problems: readonly string[];
  /** What is not good although it works. */
  readonly warnings: readonly string[];
}

export interface KubeconfigOptions {
  /** Which of its contexts. @default its current one */
  readonly context?: string | undefined;
  /** Whether the API server is reached by a service named `cluster`, since it answers on the caller's loopback alone. */
  readonly service?: boolean;
  readonly now: Date;
}

/** Name under which containers reach an API server on the caller's loopback. */
const SERVICE = "cluster";

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

const cluster = z.looseObject({
  server: z.string().optional(),
  "certificate-authority": z.string().optional(),
  "certificate-authority-data": z.string().optional(),
  "insecure-skip-tls-verify": z.boolean().optional(),
  "tls-server-name": z.string().optional(),
  "proxy-url": z.string().optional(),
});

const context = z.looseObject({
  cluster: z.string(),
  user: z.string().optional(),
  namespace: z.string().optional(),
});

/** Kubernetes writes `null` for an empty list. */
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);

const schema = z.looseObject({
  "current-context": z.string().nullish(),
  clusters: list(z.looseObject({ name: z.string(), cluster: cluster })),
  contexts: list(z.looseObject({ name: z.string(), context: context })),
  users: list(z.looseObject({ name: z.string(), user: user })),
});

type Cluster = z.infer<typeof cluster>;

const NONE = { text: "", server: "", context: "", user: "", secrets: [], warnings: [] };

/**
 * Reads a kubeconfig, plain or in base64, and says everything that keeps it from being used in a
 * container. No network is asked, and what is secret in it is in no message.
 */
export function readKubeconfig(given: string, options: KubeconfigOptions): Kubeconfig {
  const read = parse(plainText(given));
  if (typeof read === "string") return { ...NONE, problems: [read] };
  const name = options.context ?? read["current-context"] ?? "";
  const found = read.contexts.find((each) => each.name === name)?.context;
  if (!found) return { ...NONE, problems: [noContext(name, read, options.context !== undefined)] };
  const server = read.clusters.find((each) => each.name === found.cluster)?.cluster;
  const who = read.users.find((each) => each.name === (found.user ?? ""))?.user;
  const missing = [
    ...(server ? [] : [`context "${name}" names a cluster "${found.cluster}" that is not in it`]),
    ...(who ? [] : [`context "${name}" names a user "${found.user ?? ""}" that is not in it`]),
  ];
  if (!server || !who) return { ...NONE, context: name, problems: missing };
  const credentials = credentialsOf(who, options.now);
  const reach = reachOf(server, options);
  const problems = [...reach.problems, ...credentials.problems];
  const names = { cluster: found.cluster, user: found.user ?? "" };
  return {
    text: problems.length > 0 ? "" : minified(name, { ...found, ...names }, reach.cluster, who),
    server: server.server ?? "",
    context: name,
    ...(found.namespace !== undefined && { namespace: found.namespace }),
    user: names.user,
    secrets: [...credentials.secrets, ...proxySecrets(server)],
    ...expiry(credentials),
    problems,
    warnings: reach.warnings,
  };
}

function expiry({ expires }: Credentials): Pick<Kubeconfig, "expires"> {
  return expires ? { expires } : {};
}

function minified(
  name: string,
  found: z.infer<typeof context>,
  server: Cluster,
  who: User,
): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: found }],
    clusters: [{ name: found.cluster, cluster: server }],
    users: [{ name: found.user, user: who }],
  });
}

/** The text, out of base64 when it is that; twice, as happens to secrets that were pasted encoded. */
function plainText(given: string): string {
  let text = given.trim();
  for (let round = 0; round < 2 && /^[A-Za-z0-9+/_\s-]{16,}={0,2}$/.test(text); round++)
    text = Buffer.from(text.replace(/\s/g, ""), "base64").toString().trim();
  return text;
}

function parse(text: string): z.infer<typeof schema> | string {
  if (text === "") return "it is empty";
  const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
  const [error] = document.errors;
  if (error) {
    // Its message may quote the text, and with it a token.
    const line = text.slice(0, error.pos[0]).split("\n").length;
    return `line ${line} of it is no YAML; neither is it base64 of YAML`;
  }
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return "it is no kubeconfig: neither YAML with clusters, users and contexts, nor base64 of that";
  if (!("clusters" in value) && !("contexts" in value))
    return "it is no kubeconfig: it has no clusters, users and contexts";
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join(".") ?? ""} is not as a kubeconfig has it: ${issue?.message ?? ""}`;
}

function noContext(name: string, { contexts }: z.infer<typeof schema>, asked: boolean): string {
  const names = contexts.map((each) => `"${each.name}"`).join(", ");
  const there = names === "" ? "and there is no other" : `there are ${names}`;
  if (asked) return `it has no context "${name}" (deploy.context); ${there}`;
  return name === ""
    ? `it has no current-context; ${there}: set deploy.context`
    : `its current-context "${name}" is not in it; ${there}: set deploy.context`;
}

/** How a container reaches the API server. */
function reachOf(
  given: Cluster,
  { service = false }: KubeconfigOptions,
): { readonly cluster: Cluster; readonly problems: string[]; readonly warnings: string[] } {
  const problems: string[] = [];
  const warnings: string[] = [];
  const url = given.server === undefined ? undefined : urlOf(given.server);
  if (given["certificate-authority"] !== undefined)
    problems.push(pathProblem("certificate-authority", given["certificate-authority"]));
  if (!url || !/^https?:$/.test(url.protocol)) {
    problems.push(`its server "${given.server ?? ""}" is no URL like https://cluster.example:6443`);
    return { cluster: given, problems, warnings };
  }
  if (url.protocol === "http:") warnings.push("the API server is asked over plain http");
  if (given["insecure-skip-tls-verify"] === true)
    warnings.push(
      "insecure-skip-tls-verify: whoever answers in the API server's place is believed",
    );
  if (LOOPBACK.test(url.hostname) && !service)
    problems.push(
      `its server ${url.origin} is this machine's own, which no container reaches by that name; pass --cluster tcp://${url.host}`,
    );
  if (!service) return { cluster: given, problems, warnings };
  const name = given["tls-server-name"] ?? url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port === "" ? "" : `:${url.port}`;
  const rest = url.pathname === "/" ? "" : url.pathname;
  const there = `${url.protocol}//${SERVICE}${port}${rest}`;
  const secure = url.protocol === "https:" && given["insecure-skip-tls-verify"] !== true;
  return {
    cluster: { ...given, server: there, ...(secure && { "tls-server-name": name }) },
    problems,
    warnings,
  };
}

function proxySecrets({ "proxy-url": proxy }: Cluster): string[] {
  const password = proxy === undefined ? "" : (urlOf(proxy)?.password ?? "");
  return password === "" ? [] : [password];
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
