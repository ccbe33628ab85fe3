// What a deployment may not do, or does not find: refused before anything is touched, or taken back.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";

import { Kubeconfigs, type Permissions } from "../../../ci/sandbox/cluster/faults.js";
import { serviceImage } from "../../../ci/sandbox/service.js";
import { makeKeys } from "../support/evidence.js";
import { ROOT } from "../support/session.js";
import { plays } from "./support/cases.js";
import { isAlone, refused, serves } from "./support/expect.js";
import { openStage } from "./support/stage.js";

const stage = await openStage();
const test = suite("access");
test.after(stage.close);

const kubeconfigs = new Kubeconfigs(stage.cluster);

/** What a deployment needs, and nothing else: the Role that is published. */
const NEEDED = await publishedRights();

async function publishedRights(): Promise<Permissions> {
  const text = await readFile(join(ROOT, "docs/policies/role.yaml"), "utf8");
  const [role = ""] = text.split(/^---$/m);
  const { rules } = parse(role) as {
    rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  };
  return Object.fromEntries(
    rules.map(({ apiGroups, resources, verbs }) => [
      [...resources, ...apiGroups].filter((part) => part !== "").join("."),
      verbs,
    ]),
  );
}

plays(test, stage, 3, {
  rights_in_its_own_namespace_are_enough: {
    play: async (service) => {
      service.kubeconfig = await kubeconfigs.serviceAccount(service.namespace, "deployer", NEEDED);
      await service.start();
      await serves(service, await service.deploy("v2"), 2);
    },
  },

  rights_in_its_own_namespace_are_enough_to_take_back_a_first_release: {
    play: async (service) => {
      service.kubeconfig = await kubeconfigs.serviceAccount(service.namespace, "first", NEEDED);
      const ended = await service.deploy("crash");
      assert.is(ended.code, 1, ended.text);
      const left = ["get", "deployments,services,httproutes,pdb,networkpolicies", "--output=name"];
      assert.is(await service.kubectl(left), "");
    },
  },

  rights_in_its_own_namespace_are_enough_to_drop_an_object: {
    deploy: { steps: [{ weight: 50, analysis: false }] },
    play: async (service) => {
      service.kubeconfig = await kubeconfigs.serviceAccount(service.namespace, "drops", NEEDED);
      await service.start();
      await service.configure({
        deploy: { steps: [{ weight: 50, analysis: false }], disruptions: false },
      });
      await serves(service, await service.deploy("v2"), 2);
      assert.is(await service.kubectl(["get", "pdb", "--output=name"]), "");
    },
  },

  a_kubeconfig_in_base64_is_as_good: {
    play: async (service) => {
      const text = Buffer.from(await readFile(stage.cluster.kubeconfig, "utf8")).toString("base64");
      service.kubeconfig = join(service.folder.path, "kubeconfig.b64");
      await writeFile(service.kubeconfig, text);
      await serves(service, await service.deploy("v1"), 1);
    },
  },

  rights_that_are_missing_are_an_error_that_changes_nothing: {
    play: async (service) => {
      const rest = Object.fromEntries(
        Object.entries(NEEDED).filter(([kind]) => kind !== "secrets"),
      );
      service.kubeconfig = await kubeconfigs.serviceAccount(service.namespace, "half", rest);
      const ended = await service.deploy("v1");
      assert.ok([2, 3].includes(ended.code), ended.text);
      assert.match(ended.text, /may not|forbidden/i);
      const left = await service.kubectl(["get", "deployments,services", "--output=name"]);
      assert.is(left, "");
    },
  },

  a_lease_that_may_not_be_made_is_said_at_once: {
    play: async (service) => {
      const rights = { ...NEEDED, "leases.coordination.k8s.io": ["get"] };
      service.kubeconfig = await kubeconfigs.serviceAccount(service.namespace, "leaseless", rights);
      const ended = await service.deploy("v1");
      assert.is(ended.code, 3, ended.text);
      assert.match(ended.text, /the lease slipway-iris cannot be taken/);
    },
  },

  credentials_that_have_expired_are_refused_without_asking_the_cluster: {
    play: async (service) => {
      service.kubeconfig = await kubeconfigs.expired();
      refused(await service.deploy("v1"), /its client certificate expired at/);
    },
  },

  a_token_that_expires_in_the_middle_is_said_and_the_next_run_recovers: {
    deploy: { steps: [{ weight: 20, pause: 150, analysis: false }] },
    play: async (service) => {
      await service.start();
      // The server takes it for a minute longer than it says itself: at the start it is good.
      const seconds = 90;
      const until = Date.now() + seconds * 1000;
      service.kubeconfig = await kubeconfigs.serviceAccount(service.namespace, "short", NEEDED, {
        seconds,
      });
      const ended = await service.deploy("v2");
      assert.ok(Date.now() > until, ended.text);
      assert.is(ended.code, 3, ended.text);
      assert.match(ended.text, /does not accept the credentials any more/);
      service.kubeconfig = stage.cluster.kubeconfig;
      await service.configure({ deploy: { steps: [{ weight: 20, analysis: false }] } });
      const again = await service.deploy("v2");
      assert.is(again.code, 0, again.text);
      await isAlone(service, again.release);
    },
  },

  a_namespace_that_is_not_there_is_named: {
    play: async (service) => {
      await service.configure({ deploy: { namespace: "nowhere-to-be-found" } });
      const ended = await service.deploy("v1");
      assert.ok([2, 3].includes(ended.code), ended.text);
      assert.match(ended.text, /nowhere-to-be-found/);
    },
  },

  a_kubeconfig_that_names_files_is_refused_with_the_way_out: {
    play: async (service) => {
      const text = await readFile(stage.cluster.kubeconfig, "utf8");
      const broken = text.replace(
        /"client-key-data": "[^"]*"/,
        '"client-key": "/home/ann/key.pem"',
      );
      service.kubeconfig = join(service.folder.path, "kubeconfig");
      await writeFile(service.kubeconfig, broken);
      refused(await service.deploy("v1"), /kubectl config view --flatten --raw/);
    },
  },

  an_image_without_a_signature_is_refused: {
    play: async (service) => {
      await service.start();
      const env = { UNSIGNED: String(process.pid) };
      const { reference } = await serviceImage("v2", { env });
      refused(await service.call("deploy", { reference }), /not verified/);
      await isAlone(service, 1);
    },
  },

  an_image_that_another_key_signed_is_refused: {
    play: async (service) => {
      await service.start();
      const { publicKey } = await makeKeys(join(service.folder.path, "keys"));
      await service.configure({ files: { "cosign.pub": publicKey } });
      refused(await service.deploy("v2"), /not verified/);
      await isAlone(service, 1);
    },
  },

  an_image_without_its_evidence_is_refused_where_that_is_asked_for: {
    play: async (service) => {
      await service.start();
      await service.configure({ more: { verify: { predicates: ["provenance", "sbom"] } } });
      refused(await service.deploy("v2"), /provenance/);
      await isAlone(service, 1);
    },
  },

  a_gateway_that_is_not_there_is_named: {
    route: { gateway: "projectcontour/nobody" },
    play: async (service) => {
      const ended = await service.deploy("v1");
      assert.is.not(ended.code, 0, ended.text);
      assert.match(ended.text, /nobody/);
    },
  },
});

test.run();
