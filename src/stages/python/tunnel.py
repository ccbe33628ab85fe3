"""Gives a pod of a canary to other containers, on a port of this one, until it is ended.

    tunnel.py NAMESPACE SELECTOR PORT

The containers need no way to the cluster for that, and no credentials. Standard library only.
"""

import sys
import threading

from cluster import Cluster
from forwards import Way, pods


def main():
    namespace, selector, port = sys.argv[1:]
    cluster = Cluster(namespace)
    try:
        ready = [pod for pod in pods(cluster, selector) if pod["ready"]]
    finally:
        cluster.close()
    if not ready:
        sys.exit("no pod of the canary is ready")
    Way(0, namespace, ready[0]["name"], port, say, address="0.0.0.0", local=int(port))
    threading.Event().wait()


def say(broke):
    print(broke["said"], file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
