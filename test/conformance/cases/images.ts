import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import type { Platform } from "@dagger.io/dagger";

import { topic } from "../case.js";
import { blob, json, layout, manifestsOf, type ImageConfig, type Manifest } from "../oci-layout.js";
import { startPrivateRegistry } from "../private-registry.js";

const archives = topic("images", {
  are_exported_as_an_oci_layout: async (_dag, t) => {
    const path = join(t.dir, "image.tar");
    const written = await t
      .base()
      .withLabel("l", "1")
      .withEntrypoint(["e"])
      .withUser("nobody")
      .withWorkdir("/w")
      .withEnvVariable("A", "b")
      .withExposedPort(80)
      .withAnnotation("org.example.note", "kept")
      .export(path);
    assert.equal(written, path);
    const files = await layout(path);
    assert.deepEqual(json(files, "oci-layout"), {
      imageLayoutVersion: "1.0.0",
    });
    const [only, ...others] = manifestsOf(json(files, "index.json"));
    assert.ok(only && others.length === 0);
    const manifest = blob(files, only) as Manifest;
    assert.equal(manifest.annotations?.["org.example.note"], "kept");
    const image = blob(files, manifest.config) as ImageConfig;
    assert.equal(image.rootfs.diff_ids.length, manifest.layers.length);
    const { Labels, Entrypoint, User, WorkingDir, Env, ExposedPorts } = image.config;
    assert.deepEqual(
      [(Labels as Record<string, string>).l, Entrypoint, User, WorkingDir, ExposedPorts],
      ["1", ["e"], "nobody", "/w", { "80/tcp": {} }],
    );
    assert.ok((Env as string[]).includes("A=b"));
  },
  come_back_from_a_tarball: async (dag, t) => {
    const tarball = t
      .sh("echo content > /f; chmod 640 /f; ln -s /f /l; rm /bin/yes")
      .withEnvVariable("A", "b")
      .withDefaultArgs(["echo", "hi"])
      .asTarball();
    const again = dag.container().import_(tarball);
    assert.equal(await again.envVariable("A"), "b");
    assert.deepEqual(await again.defaultArgs(), ["echo", "hi"]);
    const out = again.withExec([
      "sh",
      "-c",
      "cat /l; stat -c %a /f; test -e /bin/yes || echo gone",
    ]);
    assert.equal(await out.stdout(), "content\n640\ngone\n");
  },
  come_back_from_a_tarball_of_the_host: async (dag, t) => {
    await mkdir(join(t.dir, "out"));
    const path = join(t.dir, "out", "image.tar");
    const text = t.unique();
    await t.base().withNewFile("/f", text).asTarball().export(path);
    const again = dag.container().import_(dag.host().file(path));
    assert.equal(await again.file("/f").contents(), text);
  },
  are_written_into_a_folder_that_is_made: async (_dag, t) => {
    const path = join(t.dir, "not/there/image.tar");
    assert.equal(await t.base().export(path), path);
    assert.ok((await layout(path)).has("index.json"));
  },
  are_written_into_a_device_and_do_not_take_its_place: async (_dag, t) => {
    const path = join(t.dir, "null");
    execFileSync("mknod", [path, "c", "1", "3"]);
    await t.base().export(path);
    assert.ok((await stat(path)).isCharacterDevice());
    assert.deepEqual(await readdir(t.dir), ["null"]);
  },
  of_several_platforms_share_one_index: async (dag, t) => {
    const path = join(t.dir, "image.tar");
    const variants = ["linux/amd64", "linux/arm64"].map((platform) =>
      dag.container({ platform: platform as Platform }).withNewFile("/platform", platform),
    );
    await dag.container().export(path, { platformVariants: variants });
    const files = await layout(path);
    let variantsOf = manifestsOf(json(files, "index.json"));
    // Some writers put the index of the image into the index of the layout.
    const [only, ...others] = variantsOf;
    if (only && others.length === 0) variantsOf = manifestsOf(blob(files, only));
    const architectures = variantsOf.map((one) => {
      const { config } = blob(files, one) as Manifest;
      return (blob(files, config) as ImageConfig).architecture;
    });
    assert.deepEqual(architectures.sort(), ["amd64", "arm64"]);
  },
});

const published = topic(
  "images",
  {
    are_published_by_digest_and_pulled_again: async (dag, t) => {
      const repository = t.repository();
      const text = t.unique();
      const ref = await t
        .base()
        .withNewFile("/f", text)
        .withEnvVariable("A", "b")
        .withLabel("l", "1")
        .withEntrypoint(["cat"])
        .withDefaultArgs(["/f"])
        .publish(`${repository}:v1`);
      assert.match(ref, /:v1@sha256:[0-9a-f]{64}$/);
      assert.ok(ref.startsWith(repository), ref);
      const again = dag.container().from(ref);
      assert.equal(await again.withExec([], { useEntrypoint: true }).stdout(), text);
      assert.equal(await again.envVariable("A"), "b");
      assert.equal(await again.label("l"), "1");
      assert.equal(await dag.container().from(`${repository}:v1`).file("/f").contents(), text);
    },
    have_the_same_digest_for_the_same_content: async (_dag, t) => {
      const image = t.base().withNewFile("/f", t.unique());
      const [first, second] = await Promise.all([
        image.publish(`${t.repository()}:a`),
        image.publish(`${t.repository()}:b`),
      ]);
      assert.equal(first.split("@")[1], second.split("@")[1]);
    },
    keep_deletions_links_modes_and_owners: async (dag, t) => {
      const ref = await t
        .sh(
          [
            "mkdir -p /d/sub && echo x > /d/f && chown 12:34 /d/f && chmod 4750 /d/f",
            "ln -s f /d/soft && ln /d/f /d/hard",
          ].join("\n"),
        )
        .withExec(["sh", "-ec", "rm /bin/yes; rm -r /home; mkdir /home; touch /home/new"])
        .publish(`${t.repository()}:v1`);
      const out = await dag
        .container()
        .from(ref)
        .withExec([
          "sh",
          "-c",
          "stat -c '%a %u:%g %h' /d/f; readlink /d/soft; stat -c %h /d/hard; ls /home; ls /bin/yes 2>/dev/null || echo gone",
        ])
        .stdout();
      assert.equal(out, "4750 12:34 2\nf\n2\nnew\ngone\n");
    },
    leave_secrets_mounts_and_caches_out: async (dag, t) => {
      const value = t.unique("value");
      const path = join(t.dir, "image.tar");
      const ref = await t
        .base()
        .withSecretVariable("S", dag.setSecret(t.unique(), value))
        .withMountedSecret("/run/s", dag.setSecret(t.unique(), value))
        .withMountedDirectory("/m", dag.directory().withNewFile("f", value))
        .withMountedCache("/c", dag.cacheVolume(t.unique()))
        .withMountedTemp("/t")
        .withExec(["sh", "-c", "touch /c/f /t/f /m/g; echo done > /log"])
        .publish(`${t.repository()}:v1`);
      const again = dag.container().from(ref);
      assert.equal(await again.file("/log").contents(), "done\n");
      for (const gone of ["/m/f", "/m/g", "/c/f", "/t/f"]) {
        assert.equal(await again.exists(gone), false, gone);
      }
      const grep = again.withExec([
        "sh",
        "-c",
        `grep -rl ${value.slice(0, -1)} /run /etc /m || true; env`,
      ]);
      assert.doesNotMatch(await grep.stdout(), new RegExp(value));
      await again.export(path);
      for (const [name, content] of await layout(path)) {
        assert.ok(!content.includes(value), `${name} holds the secret`);
      }
    },
    pull_the_variant_of_the_platform: async (dag, t) => {
      const variants = ["linux/amd64", "linux/arm64"].map((platform) =>
        dag.container({ platform: platform as Platform }).withNewFile("/platform", platform),
      );
      const ref = await dag
        .container()
        .publish(`${t.repository()}:multi`, { platformVariants: variants });
      for (const platform of ["linux/amd64", "linux/arm64"]) {
        const pulled = dag.container({ platform: platform as Platform }).from(ref);
        assert.equal(await pulled.file("/platform").contents(), platform);
      }
    },
    fail_with_the_tag_that_is_not_there: async (dag, t) => {
      const ref = `${t.repository()}:none`;
      await t.expectError(() => dag.container().from(ref).sync(), /not found|unknown/i);
    },
    need_the_credentials_of_a_private_registry: async (dag, t) => {
      t.repository();
      const registry = await startPrivateRegistry();
      try {
        const image = dag.container().withNewFile("/f", t.unique());
        const ref = `${registry.address}/private:v1`;
        await t.expectError(() => image.publish(ref), /401|unauthorized|authoriz/i);
        const wrong = dag.setSecret(t.unique(), "wrong");
        await t.expectError(
          () => image.withRegistryAuth(registry.address, registry.username, wrong).publish(ref),
          /401|unauthorized|authoriz/i,
        );
        const password = dag.setSecret(t.unique(), registry.password);
        const authorized = image.withRegistryAuth(registry.address, registry.username, password);
        assert.match(await authorized.publish(ref), /@sha256:/);
        const pulled = dag
          .container()
          .withRegistryAuth(registry.address, registry.username, password)
          .from(ref);
        assert.deepEqual(await pulled.rootfs().entries(), ["f"]);
      } finally {
        await registry.close();
      }
    },
  },
  { registry: true },
);

export const images = [...archives, ...published];
