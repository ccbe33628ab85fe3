import { createPublicKey, generateKeyPairSync, randomBytes, scryptSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { CliError, EXIT, usageError, type ExitCode } from "../failure.js";

const PRIVATE = "cosign.key";
const PUBLIC = "cosign.pub";

/** Cost of trying one password, as cosign sets it. */
const SCRYPT = { N: 65_536, r: 8, p: 1 } as const;

/**
 * `slipway keys generate`: writes a pair of keys to a folder, and says where each half goes. It
 * needs no engine, so that the private half lies nowhere else; it is never printed, and keys that
 * are there are never overwritten.
 */
export async function generateKeys(given: Readonly<Record<string, unknown>>): Promise<ExitCode> {
  const folder = resolve((given.folder as string | undefined) ?? ".");
  const password = process.env.COSIGN_PASSWORD ?? "";
  if (password === "")
    throw usageError("set COSIGN_PASSWORD: it is the password that will open the private key.");
  const { privateKey, publicKey } = await keyPair(password);
  await mkdir(folder, { recursive: true });
  for (const path of [PRIVATE, PUBLIC].map((name) => join(folder, name)))
    if (existsSync(path)) throw isThere(path);
  await create(join(folder, PRIVATE), privateKey, 0o600);
  await create(join(folder, PUBLIC), publicKey, 0o644);
  process.stdout.write(advice(folder));
  return EXIT.passed;
}

/** A pair in the form that cosign makes and reads: ECDSA on P-256, the private half encrypted. */
async function keyPair(password: string): Promise<{ privateKey: string; publicKey: string }> {
  const { default: nacl } = await import("tweetnacl");
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const secret = pair.privateKey.export({ type: "pkcs8", format: "der" });
  const salt = randomBytes(32);
  const nonce = randomBytes(nacl.secretbox.nonceLength);
  const key = scryptSync(password, salt, nacl.secretbox.keyLength, { ...SCRYPT, maxmem: 2 ** 27 });
  const box = {
    kdf: { name: "scrypt", params: SCRYPT, salt: salt.toString("base64") },
    cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
    ciphertext: Buffer.from(nacl.secretbox(secret, nonce, key)).toString("base64"),
  };
  const body =
    Buffer.from(JSON.stringify(box))
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  const kind = "ENCRYPTED SIGSTORE PRIVATE KEY";
  return {
    privateKey: [`-----BEGIN ${kind}-----`, ...body, `-----END ${kind}-----`, ""].join("\n"),
    publicKey: createPublicKey(pair.privateKey).export({ type: "spki", format: "pem" }).toString(),
  };
}

/** Writes a file that must not be there yet. */
async function create(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(path, text, { mode, flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw isThere(path);
    throw new CliError(`${path} cannot be written: ${(error as Error).message}`, EXIT.usage);
  }
}

function isThere(path: string): CliError {
  return usageError(`${path} is there already; choose another --folder.`);
}

function advice(folder: string): string {
  return [
    `${join(folder, PUBLIC)}: commit it with the project; who verifies needs it (verify.key).`,
    `${join(folder, PRIVATE)}: the secret COSIGN_PRIVATE_KEY of whoever releases. Never commit it:`,
    `    gh secret set COSIGN_PRIVATE_KEY < ${PRIVATE}`,
    "    gh secret set COSIGN_PASSWORD",
    "  Then keep it where a fire does not reach it, and delete it here.",
    "",
  ].join("\n");
}
