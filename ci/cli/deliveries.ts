/** Commands that bring something to a cluster, or look at it: the module's function, and what the help says. */
export const DELIVERIES = {
  deploy: ["deploy", "Bring an image to the cluster: a canary step by step, then all of it"],
  "deploy-canary": ["deployCanary", "Bring an image as far as a canary that waits for promote"],
  promote: ["promote", "Give a waiting canary everything"],
  rollback: ["rollback", "Bring an earlier release back"],
  abort: ["abort", "End what is under way; the requests go back to the live release"],
  watch: ["watch", "Look at the live release for a time, and roll it back when it fails"],
  status: ["status", "What is live, what is under way, and how the pods are"],
  history: ["history", "Every release that is kept in the cluster"],
} as const;

export type DeliveryCommand = keyof typeof DELIVERIES;

/** Those that change something: what they began is taken back when they are interrupted. */
export const CHANGING: readonly DeliveryCommand[] = [
  "deploy",
  "deploy-canary",
  "promote",
  "rollback",
  "watch",
];
