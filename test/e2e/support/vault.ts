import { constants, createHash, generateKeyPairSync, privateEncrypt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";

/** A stand-in for Vault: one RSA key of its transit engine, for whoever shows the token. */
export interface Vault {
  readonly port: number;
  /** Each signature that was asked for and given. */
  readonly signed: readonly string[];
  /** Writes cosign.pub with the public half to a folder. */
  publicKey: (folder: string) => Promise<void>;
  stop: () => void;
}

/** What precedes a SHA-256 in a signature of PKCS #1, version 1.5. */
const SHA256 = Buffer.from("3031300d060960864801650304020105000420", "hex");

export async function startVault(key: string, token: string): Promise<Vault> {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const signed: string[] = [];
  const shown = { public_key: publicKey.export({ type: "spki", format: "pem" }) };
  const sign = (body: string): object => {
    const { input } = JSON.parse(body) as { input: string };
    const digest = Buffer.concat([SHA256, Buffer.from(input, "base64")]);
    const padding = constants.RSA_PKCS1_PADDING;
    const signature = privateEncrypt({ key: privateKey, padding }, digest).toString("base64");
    signed.push(createHash("sha256").update(signature).digest("hex"));
    return { signature: `vault:v1:${signature}` };
  };
  const server = createServer((request, response) => {
    const answer = async (): Promise<[number, object]> => {
      if (request.headers["x-vault-token"] !== token)
        return [403, { errors: ["permission denied"] }];
      if (request.url === `/v1/transit/keys/${key}`)
        return [200, { data: { latest_version: 1, keys: { "1": shown } } }];
      if (request.url === `/v1/transit/sign/${key}/sha2-256`)
        return [200, { data: sign(await text(request)) }];
      return [404, { errors: [] }];
    };
    void answer().then(([status, body]) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    port: (server.address() as AddressInfo).port,
    signed,
    publicKey: async (folder) => {
      await writeFile(join(folder, "cosign.pub"), shown.public_key);
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
