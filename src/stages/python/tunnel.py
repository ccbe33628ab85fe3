"""Gives a pod of a canary to other containers, on a port of this one, until it is ended.

    tunnel.py NAMESPACE SELECTOR PORT

The containers need no way to the cluster for that, and no credentials. Standard library only.
"""

import sys
import threading

from cluster import Cluster
from forwards import Way, pods
from proxy import Proxy


def main(proxy, arguments):
    namespace, selector, port = arguments
    try:
        found = pods(Cluster(namespace, proxy), selector)
    finally:
        proxy.close()
    ready = [pod for pod in found if pod["ready"]]
    if not ready:
        sys.exit("no pod of the canary is ready")
    Way(0, namespace, ready[0]["name"], port, say, address="0.0.0.0", local=int(port))
    threading.Event().wait()


def say(broke):
    print(broke["said"], file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(Proxy(), sys.argv[1:])
