import { createPrivateKey, randomBytes, sign } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { run } from "../run.js";
import { API_SERVICE, PORTS } from "./network.js";

/** Who issues service accounts' tokens, and whom they are for. */
export const ISSUER = "https://kubernetes.default.svc.cluster.local";

/** What the API server grants for clocks that differ. */
const GRANTED_SECONDS = 60;

const CURVE = ["-pkeyopt", "ec_paramgen_curve:prime256v1"];
/** In the only form that the API server reads. */
const SERVICE_ACCOUNT_KEY = ["-name", "prime256v1", "-genkey", "-noout"];
const NEW_KEY = ["-newkey", "ec", ...CURVE, "-nodes"];

/** A cluster's certificates and keys, in a folder of its own. */
export class Credentials {
  constructor(
    readonly folder: string,
    /** The node's address. */
    readonly node: string,
  ) {}

  /** Makes them: a certificate authority, the API server's certificate, an administrator's. */
  async make(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await run("openssl", [
      ...["req", "-x509", ...NEW_KEY, "-subj", "/CN=slipway-sandbox", "-days", "3650"],
      ...["-keyout", this.path("ca.key"), "-out", this.path("ca.crt")],
    ]);
    const service = ["", ".default", ".default.svc", ".default.svc.cluster.local"];
    const names = [
      ...["127.0.0.1", this.node, API_SERVICE].map((address) => `IP:${address}`),
      ...["localhost", ...service.map((end) => `kubernetes${end}`)].map((name) => `DNS:${name}`),
    ];
    await Promise.all([
      run("openssl", ["ecparam", ...SERVICE_ACCOUNT_KEY, "-out", this.path("sa.key")]),
      this.#issue("apiserver", "/CN=kube-apiserver", [
        `subjectAltName=${names.join(",")}`,
        "extendedKeyUsage=serverAuth",
      ]),
      this.client("admin", "/O=system:masters/CN=sandbox-admin"),
    ]);
  }

  /**
   * Issues a client's certificate, `NAME.crt` with `NAME.key`.
   *
   * @param subject Who it is to the API server: groups are `O`, the name is `CN`.
   * @param days How long it is valid; when negative, it was.
   */
  async client(name: string, subject: string, days = 365): Promise<void> {
    await this.#issue(name, subject, ["extendedKeyUsage=clientAuth"], days);
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  /**
   * Text of a kubeconfig for the API server's address, with all certificates in it.
   *
   * @param user Name of a client certificate, or a token.
   */
  async kubeconfig(user: { client: string } | { token: string }): Promise<string> {
    const encoded = async (file: string): Promise<string> =>
      (await readFile(this.path(file))).toString("base64");
    const credentials =
      "token" in user
        ? { token: user.token }
        : {
            "client-certificate-data": await encoded(`${user.client}.crt`),
            "client-key-data": await encoded(`${user.client}.key`),
          };
    const cluster = {
      server: `https://${this.node}:${PORTS.api}`,
      "certificate-authority-data": await encoded("ca.crt"),
    };
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "sandbox", cluster }],
      users: [{ name: "sandbox", user: credentials }],
      contexts: [{ name: "sandbox", context: { cluster: "sandbox", user: "sandbox" } }],
      "current-context": "sandbox",
    };
    return `${JSON.stringify(config, undefined, 2)}\n`;
  }

  /**
   * A service account's token as the API server would issue it, but of any age: the server gives
   * none for less than ten minutes.
   *
   * @param seconds How long the API server takes it, to some 10 s: it grants a minute more than the
   *   token says, and remembers for a while that a token was good.
   */
  async token(
    account: { namespace: string; name: string; uid: string },
    seconds: number,
  ): Promise<string> {
    const { namespace, name, uid } = account;
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      aud: [ISSUER],
      iss: ISSUER,
      sub: `system:serviceaccount:${namespace}:${name}`,
      iat: now - 3600,
      nbf: now - 3600,
      exp: now + seconds - GRANTED_SECONDS,
      "kubernetes.io": { namespace, serviceaccount: { name, uid } },
    };
    const text = [{ alg: "ES256", typ: "JWT" }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const key = createPrivateKey(await readFile(this.path("sa.key")));
    const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
    return `${text}.${signature.toString("base64url")}`;
  }

  /** In two steps: `openssl req` alone gives no certificate that is not valid any more. */
  async #issue(name: string, subject: string, extensions: string[], days = 365): Promise<void> {
    const [key, request, file] = ["key", "csr", "ext"].map((end) => this.path(`${name}.${end}`));
    if (key === undefined || request === undefined || file === undefined) return;
    await writeFile(file, ["basicConstraints=critical,CA:FALSE", ...extensions].join("\n"));
    await run("openssl", [
      "req",
      "-new",
      ...NEW_KEY,
      "-keyout",
      key,
      "-out",
      request,
      "-subj",
      subject,
    ]);
    await run("openssl", [
      ...[
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        this.path("ca.crt"),
        "-CAkey",
        this.path("ca.key"),
      ],
      ...["-extfile", file, "-days", String(days), "-out", this.path(`${name}.crt`)],
      ...["-set_serial", `0x${randomBytes(8).toString("hex")}`],
    ]);
  }
}
