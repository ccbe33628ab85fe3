import * as z from "zod";

const PRIVATE =
  /^-----BEGIN (ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY)-----\s([A-Za-z0-9+/=\s]+)-----END \1-----$/;
const PUBLIC = /^-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----$/;

const box = z.object({
  kdf: z.object({ name: z.string() }),
  cipher: z.object({ name: z.string() }),
  ciphertext: z.string().min(1),
});

/** Why a text is no private key that cosign made; undefined when it is one. Never repeats the text. */
export function privateKeyProblem(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return "it is empty";
  if (PUBLIC.test(trimmed)) return "it is a public key; the private one (cosign.key) is needed";
  if (!trimmed.startsWith("-----BEGIN "))
    return "it does not begin with -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----";
  const [, , body] = PRIVATE.exec(trimmed) ?? [];
  if (body === undefined)
    return "it is cut short, or of another kind than `slipway keys generate` and cosign make";
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(body, "base64").toString("utf8"));
  } catch {
    return "what is between its first and last line is damaged";
  }
  return box.safeParse(content).success
    ? undefined
    : "what is between its first and last line is damaged";
}

/** Why a text is no public key; undefined when it is one. */
export function publicKeyProblem(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return "it is empty";
  if (trimmed.includes("PRIVATE KEY")) return "it is a private key, which does not belong there";
  return PUBLIC.test(trimmed) ? undefined : "it is no public key in PEM form";
}
