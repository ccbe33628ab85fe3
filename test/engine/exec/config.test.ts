import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  hostsFile,
  ociConfig,
  resolvConf,
  type OciConfig,
} from "../../../ci/engine/exec/config.js";
import type { ExecSpec } from "../../../ci/engine/exec/types.js";

const SPEC: ExecSpec = { rootfs: { layers: [] }, args: ["true"], env: {}, cwd: "/", user: "" };

function config(spec: Partial<ExecSpec>, more: object = {}): OciConfig {
  const user = { uid: 7, gid: 8, groups: [8, 9] };
  const input = {
    user,
    bundle: "/b",
    sources: [],
    hostEnv: {},
    available: ~0n,
    caBundle: undefined,
    ...more,
  };
  return ociConfig({ ...input, spec: { ...SPEC, ...spec } });
}

const capabilities = (oci: OciConfig): string[] =>
  (oci.process.capabilities as { bounding: string[] }).bounding;
const mountAt = (oci: OciConfig, path: string) =>
  oci.mounts.find(({ destination }) => destination === path);

test("sets PATH only where the container has none", () => {
  assert.ok(
    config({}).process.env.includes(
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ),
  );
  assert.equal(config({ env: { PATH: "/x" } }).process.env, ["PATH=/x"]);
});

test("the host's proxy is set in both spellings, and never over the container's own", () => {
  const hostEnv = { https_proxy: "http://host", NO_PROXY: "a", HOME: "/h", SECRET: "s" };
  const { env } = config({ env: { PATH: "/x", no_proxy: "b" } }, { hostEnv }).process;
  assert.equal(env.sort(), [
    "HTTPS_PROXY=http://host",
    "NO_PROXY=b",
    "PATH=/x",
    "https_proxy=http://host",
    "no_proxy=b",
  ]);
});

test("has Docker's capabilities except for making devices, and all of them when asked", () => {
  assert.not.ok(capabilities(config({})).includes("CAP_MKNOD"));
  assert.not.ok(capabilities(config({})).includes("CAP_SYS_ADMIN"));
  assert.is(capabilities(config({})).length, 13);
  const all = capabilities(config({ insecureRootCapabilities: true }));
  assert.is(new Set(all).size, 41);
});

test("gives no capability that the engine does not have", () => {
  const oci = config({ insecureRootCapabilities: true }, { available: 0b100001n });
  assert.equal(capabilities(oci), ["CAP_CHOWN", "CAP_KILL"]);
});

test("kernel interfaces are masked, and open when asked", () => {
  const oci = config({});
  assert.ok((oci.linux.maskedPaths as string[]).includes("/proc/kcore"));
  assert.ok((oci.linux.readonlyPaths as string[]).includes("/proc/sys"));
  assert.ok(mountAt(oci, "/sys")?.options.includes("ro"));
  const open = config({ insecureRootCapabilities: true });
  assert.is(open.linux.maskedPaths, undefined);
  assert.ok(mountAt(open, "/sys")?.options.includes("rw"));
});

test("only a command without init gets a PID namespace from the runtime", () => {
  const types = (oci: OciConfig): string[] => oci.linux.namespaces.map(({ type }) => type);
  assert.equal(types(config({})), ["mount", "ipc", "uts"]);
  assert.equal(types(config({ noInit: true })), ["pid", "mount", "ipc", "uts"]);
});

test("mounts keep their order and get no devices", () => {
  const oci = config(
    {
      mounts: [
        { kind: "temp", target: "/t", size: 4096 },
        { kind: "cache", target: "/t/c", volumePath: "/v" },
        { kind: "secret", target: "/s", content: Buffer.from("x"), uid: 0, gid: 0, mode: 0o400 },
        { kind: "directory", target: "/d", source: { layers: [] }, path: "/", readOnly: true },
      ],
    },
    { sources: ["", "/v", "/b/m2", "/b/m3"] },
  );
  const [temp, cache, secret, folder] = oci.mounts.slice(-4);
  assert.equal(temp?.options, ["nosuid", "mode=1777", "nodev", "size=4096"]);
  assert.equal(cache, {
    destination: "/t/c",
    type: "bind",
    source: "/v",
    options: ["rbind", "nodev"],
  });
  assert.equal(secret?.options, ["rbind", "nodev", "ro", "nosuid", "noexec"]);
  assert.equal(folder?.options, ["rbind", "nodev", "ro"]);
});

test("the host's certificates are mounted read-only", () => {
  const mount = mountAt(
    config({}, { caBundle: "/host/ca.pem" }),
    "/etc/ssl/certs/ca-certificates.crt",
  );
  assert.is(mount?.source, "/host/ca.pem");
  assert.ok(mount?.options.includes("ro"));
  assert.is(mountAt(config({}), "/etc/ssl/certs/ca-certificates.crt"), undefined);
});

test("hosts has the host name and the aliases", () => {
  const text = hostsFile({
    ...SPEC,
    hostname: "box",
    aliases: { db: "10.0.0.1", api: "10.0.0.2" },
  });
  assert.match(text, /^127\.0\.0\.1\tlocalhost box$/m);
  assert.match(text, /^10\.0\.0\.1\tdb$/m);
  assert.match(text, /^10\.0\.0\.2\tapi$/m);
});

test("resolv.conf keeps search domains and options, not the host's servers", () => {
  const host = "# generated\nnameserver 127.0.0.53\nsearch corp.example\noptions ndots:2\n";
  assert.is(
    resolvConf("10.0.0.3", host),
    "nameserver 10.0.0.3\nsearch corp.example\noptions ndots:2\n",
  );
});

test.run();
