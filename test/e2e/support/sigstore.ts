import { createSign, generateKeyPairSync, type KeyObject } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSocket, type AddressInfo } from "node:net";
import { join } from "node:path";

import { endProcess, launch, untilUp } from "../../../ci/sandbox/daemon.js";
import { ensureTool } from "../../../ci/sandbox/tools.js";
import { cosign } from "./evidence.js";

/** What a token says besides who made it and for whom. */
export type Claims = Readonly<Record<string, unknown>>;

/** A Sigstore of one's own on loopback: fulcio, a timestamp authority, and an issuer of tokens. */
export interface Sigstore {
  /** Issuer of the tokens, as certificates name it. */
  readonly issuer: string;
  /** Ports that a container has to reach. */
  readonly ports: readonly number[];
  /** Texts for sign.signingConfig and verify.trustedRoot. */
  readonly signingConfig: string;
  readonly trustedRoot: string;
  /** Where tokens are to be had as GitHub gives them, for whoever shows `password`. */
  readonly requestUrl: string;
  /** A token of the issuer, five minutes long. */
  token: (claims: Claims) => string;
  /** Query and authorization of each request for a token. */
  readonly asked: readonly { readonly audience: string; readonly authorization: string }[];
  stop: () => Promise<void>;
}

/** Host by which containers reach the ports of this machine that the module's registry stands for. */
const HOST = "registry.localhost";
const SINCE = "2026-01-01T00:00:00Z";

/**
 * @param folder Where the services' files go.
 * @param job Claims of the tokens that `requestUrl` gives, and the password that it asks for.
 * @param type What fulcio makes of tokens: who has an address, or a job on GitHub.
 */
export async function startSigstore(
  folder: string,
  job: { readonly claims: Claims; readonly password: string },
  type: "email" | "github-workflow" = "email",
): Promise<Sigstore> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const asked: { audience: string; authorization: string }[] = [];
  let issuer = "";
  const token = (claims: Claims): string => {
    const now = Math.floor(Date.now() / 1000);
    return signed(
      { iss: issuer, aud: "sigstore", iat: now, exp: now + 300, ...claims },
      privateKey,
    );
  };
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer(request)));
  });
  const answer = (request: IncomingMessage): unknown => {
    const url = new URL(request.url ?? "", issuer);
    if (url.pathname === "/.well-known/openid-configuration")
      return {
        ...{ issuer, jwks_uri: `${issuer}/keys`, response_types_supported: ["id_token"] },
        ...{ subject_types_supported: ["public"], authorization_endpoint: `${issuer}/auth` },
        id_token_signing_alg_values_supported: ["RS256"],
      };
    if (url.pathname === "/keys")
      return {
        keys: [{ ...publicKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "1" }],
      };
    const { authorization = "" } = request.headers;
    asked.push({ audience: url.searchParams.get("audience") ?? "", authorization });
    return authorization === `bearer ${job.password}` ? { value: token(job.claims) } : {};
  };
  const port = await listening(server);
  issuer = `http://127.0.0.1:${port}`;

  const config = join(folder, "fulcio.json");
  const known = { IssuerURL: issuer, ClientID: "sigstore", Type: type };
  await writeFile(config, JSON.stringify({ OIDCIssuers: { [issuer]: known } }));
  const [http = 0, grpc, metrics, stamps = 0] = await freePorts(4);
  const processes = await Promise.all([
    serve(folder, "fulcio", `http://127.0.0.1:${http}/api/v1/rootCert`, [
      ...["serve", "--ca=ephemeralca", "--ct-log-url=", `--config-path=${config}`],
      ...[
        "--host=127.0.0.1",
        `--port=${http}`,
        "--grpc-host=127.0.0.1",
        `--grpc-port=${grpc ?? 0}`,
      ],
      ...[
        `--metrics-port=${metrics ?? 0}`,
        `--legacy-unix-domain-socket=${join(folder, "socket")}`,
      ],
    ]),
    serve(folder, "timestamp-server", `http://127.0.0.1:${stamps}/api/v1/timestamp/certchain`, [
      ...["serve", "--host=127.0.0.1", `--port=${stamps}`, "--timestamp-signer=memory"],
      "--disable-ntp-monitoring",
    ]),
  ]);
  const [authority, timestamps] = processes;
  const ca = join(folder, "fulcio.pem");
  const tsa = join(folder, "tsa.pem");
  await writeFile(ca, authority.answer);
  await writeFile(tsa, timestamps.answer);
  const from = `api-version=1,start-time=${SINCE},operator=test`;
  const stamp = `http://${HOST}:${stamps}/api/v1/timestamp`;
  return {
    issuer,
    ports: [http, stamps, port],
    signingConfig: await made(folder, "signing-config", [
      `--fulcio=url=http://${HOST}:${http},${from}`,
      ...[`--tsa=url=${stamp},${from}`, "--tsa-config=ANY"],
    ]),
    trustedRoot: await made(folder, "trusted-root", [
      `--fulcio=url=http://${HOST}:${http},certificate-chain=${ca}`,
      `--tsa=url=${stamp},certificate-chain=${tsa}`,
    ]),
    requestUrl: `http://${HOST}:${port}/token?api-version=2.0`,
    token,
    asked,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await Promise.all(
        processes.map(async ({ pid }) => {
          await endProcess(pid);
        }),
      );
    },
  };
}

/** A JSON web token, RS256. */
function signed(claims: Claims, key: KeyObject): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "RS256", typ: "JWT", kid: "1" })}.${part(claims)}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key).toString("base64url")}`;
}

/** Starts a service, and gives what it answers at a URL once it is up. */
async function serve(
  folder: string,
  name: "fulcio" | "timestamp-server",
  url: string,
  args: readonly string[],
): Promise<{ pid: number; answer: string }> {
  const program = await ensureTool(name);
  const daemon = {
    command: [program, ...args] as [string, ...string[]],
    log: join(folder, `${name}.log`),
    outlive: false,
  };
  const pid = await launch(daemon);
  const answer = await untilUp(pid, daemon, "", async () => {
    const response = await fetch(url).catch(() => undefined);
    return response?.ok === true ? await response.text() : undefined;
  });
  return { pid, answer };
}

/** What `cosign signing-config|trusted-root create` makes. */
async function made(folder: string, what: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await cosign([what, "create", ...args]);
  if (code !== 0) throw new Error(stderr);
  await writeFile(join(folder, `${what}.json`), stdout);
  return stdout;
}

async function listening(server: Server | ReturnType<typeof createSocket>): Promise<number> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return (server.address() as AddressInfo).port;
}

/** Ports that nothing listens on. */
async function freePorts(count: number): Promise<number[]> {
  const sockets = Array.from({ length: count }, () => createSocket());
  const ports = await Promise.all(sockets.map(listening));
  await Promise.all(sockets.map((each) => new Promise((closed) => each.close(closed))));
  return ports;
}
