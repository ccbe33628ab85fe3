import { createHash } from "node:crypto";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly subject?: Descriptor;
  readonly layers: readonly Descriptor[];
}

interface Bundle {
  readonly dsseEnvelope: { readonly payload: string };
}

/** What lies beside the images of a repository, for those who would forge it. */
export class Bundles {
  readonly #base: string;

  /** @param registry `host:port`, plain http. */
  constructor(registry: string, name: string) {
    this.#base = `http://${registry}/v2/${name}`;
  }

  /** What is attached to an image; empty when nothing is. */
  async of(digest: string): Promise<Descriptor[]> {
    const response = await fetch(`${this.#base}/manifests/${tagOf(digest)}`, {
      headers: { accept: INDEX },
    });
    const { manifests = [] } = (await response.json()) as { manifests?: Descriptor[] };
    return manifests;
  }

  /** Attaches these to an image, and nothing else. */
  async attach(digest: string, manifests: readonly Descriptor[]): Promise<void> {
    const index = { schemaVersion: 2, mediaType: INDEX, manifests };
    await this.#put(tagOf(digest), INDEX, JSON.stringify(index));
  }

  /** A copy of an attached bundle whose statement was changed, under the old signature. */
  async altered(one: Descriptor, change: (statement: string) => string): Promise<Descriptor> {
    const manifest = (await this.#get(`manifests/${one.digest}`)) as Manifest;
    const [layer] = manifest.layers;
    if (!layer) throw new Error(`${one.digest} has no bundle.`);
    const bundle = (await this.#get(`blobs/${layer.digest}`)) as Bundle;
    const before = Buffer.from(bundle.dsseEnvelope.payload, "base64").toString("utf8");
    const after = change(before);
    if (after === before) throw new Error("The statement was not changed.");
    const payload = Buffer.from(after).toString("base64");
    const text = JSON.stringify({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload } });
    const blob = { ...layer, digest: sha256(text), size: Buffer.byteLength(text) };
    await this.#upload(text, blob.digest);
    const forged = JSON.stringify({ ...manifest, layers: [blob] });
    const digest = sha256(forged);
    await this.#put(digest, MANIFEST, forged);
    return { ...one, digest, size: Buffer.byteLength(forged) };
  }

  /** What a bundle states. */
  async statement(one: Descriptor): Promise<{ predicateType: string }> {
    const manifest = (await this.#get(`manifests/${one.digest}`)) as Manifest;
    const bundle = (await this.#get(`blobs/${manifest.layers[0]?.digest ?? ""}`)) as Bundle;
    return JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString("utf8")) as {
      predicateType: string;
    };
  }

  async #get(path: string): Promise<unknown> {
    const response = await fetch(`${this.#base}/${path}`, { headers: { accept: MANIFEST } });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return JSON.parse(await response.text());
  }

  async #upload(text: string, digest: string): Promise<void> {
    const begun = await fetch(`${this.#base}/blobs/uploads/`, { method: "POST" });
    const url = new URL(begun.headers.get("location") ?? "", this.#base);
    url.searchParams.set("digest", digest);
    const headers = { "content-type": "application/octet-stream" };
    const done = await fetch(url, { method: "PUT", headers, body: text });
    if (done.status !== 201) throw new Error(`upload: ${done.status}`);
  }

  async #put(reference: string, type: string, body: string): Promise<void> {
    const url = `${this.#base}/manifests/${reference}`;
    const done = await fetch(url, { method: "PUT", headers: { "content-type": type }, body });
    if (done.status !== 201) throw new Error(`${reference}: ${done.status} ${await done.text()}`);
  }
}

/** The tag by which a registry without the referrers API is asked for what is attached. */
function tagOf(digest: string): string {
  return digest.replace(":", "-");
}

function sha256(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
