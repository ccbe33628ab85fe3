"""Asks the API server for objects, and changes them.

Imported by requests.py and by what reaches pods. A request is one of

    {"one": path, "needed": bool?}             the object, or nothing when it is not there and need not be
    {"all": [path], "as": "summary"?}          what is there of them, as a list or as its summary
    {"patch": path, "operations": [...]}       a JSON patch
    {"create": [object]}                       what came of each, a line of JSON
    {"apply": [object], "manager": name, "force": bool?}    server-side; all of them, whatever becomes of one
    {"delete": [path or {"object": ..., "selector": ...?}]} what is there of them, without waiting

Paths are URLs without a host, which may select. What fails is told in kubectl's words. Standard library only.
"""

import json
from urllib.parse import quote

from proxy import Refused

PATCHES = {"json": "application/json-patch+json", "apply": "application/apply-patch+yaml"}


class Cluster:
    """The API server, seen from one namespace."""

    def __init__(self, namespace, proxy):
        self.namespace = namespace
        self.call = proxy.call
        self.kinds = {}

    def kind(self, version, kind, limit):
        """Of a kind of objects what its path needs to know."""
        base = f"/api/{version}" if "/" not in version else f"/apis/{version}"
        if version not in self.kinds:
            self.kinds[version] = self.call("GET", base, limit)["resources"]
        for each in self.kinds[version]:
            if each["kind"] == kind and "/" not in each["name"]:
                return base, each
        # A server that has just started may not serve it yet.
        self.kinds.pop(version, None)
        raise Refused(f'no matches for kind "{kind}" in version "{version}"\n')

    def folder(self, item, limit):
        """Path of all objects of an object's kind, in its namespace if it has one."""
        base, kind = self.kind(item["apiVersion"], item["kind"], limit)
        namespace = item.get("metadata", {}).get("namespace") or self.namespace
        within = f"/namespaces/{namespace}" if kind["namespaced"] else ""
        return f"{base}{within}/{kind['name']}"


def one(cluster, request, limit):
    try:
        return json.dumps(cluster.call("GET", request["one"], limit))
    except Refused as refused:
        if refused.missing and not request.get("needed"):
            return ""
        raise


def every(cluster, request, limit):
    items = []
    for path in request["all"]:
        try:
            found = cluster.call("GET", path, limit)
        except Refused as refused:
            if refused.missing:
                continue
            raise
        items += items_of(found)
    if request.get("as") == "summary":
        return "".join(f"{summary(item)}\n" for item in items)
    return json.dumps({"kind": "List", "items": items})


def items_of(found):
    """The objects of a list do not say of what kind they are; the list does."""
    if "items" not in found:
        return [found]
    kind = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
    return [{**kind, **item} for item in found["items"] or []]


def patch(cluster, request, limit):
    cluster.call("PATCH", request["patch"], limit, request["operations"], PATCHES["json"])
    return ""


def create(cluster, request, limit):
    made = [
        cluster.call("POST", cluster.folder(item, limit), limit, item) for item in request["create"]
    ]
    return "".join(f"{json.dumps(each)}\n" for each in made)


def apply(cluster, request, limit):
    # Fields that a kind does not have were looked for in the trial before.
    flags = f"fieldManager={quote(request['manager'])}&fieldValidation=Ignore"
    force = "&force=true" if request.get("force") else ""
    targets = [
        (f"{cluster.folder(item, limit)}/{item['metadata']['name']}?{flags}{force}", item)
        for item in request["apply"]
    ]
    return each_of(
        targets,
        lambda target: cluster.call("PATCH", target[0], limit, target[1], PATCHES["apply"]),
    )


def delete(cluster, request, limit):
    return each_of(request["delete"], lambda what: delete_one(cluster, what, limit))


def delete_one(cluster, what, limit):
    if isinstance(what, dict):
        name = what["object"]["metadata"]["name"]
        folder = cluster.folder(what["object"], limit)
        chosen = f"fieldSelector={quote(f'metadata.name={name}')}"
        labels = f"&labelSelector={quote(what['selector'])}" if what.get("selector") else ""
        what = f"{folder}?{chosen}{labels}"
    folder, _, selecting = what.partition("?")
    if not selecting:
        return remove(cluster, folder, limit)
    for item in cluster.call("GET", what, limit)["items"] or []:
        remove(cluster, f"{folder}/{item['metadata']['name']}", limit)


def remove(cluster, path, limit):
    try:
        # What it made goes with it, as kubectl asks for.
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        cluster.call("DELETE", path, limit, options)
    except Refused as refused:
        if not refused.missing:
            raise


def each_of(targets, work):
    """All of them, whatever becomes of one; what was refused is told of all."""
    refused = []
    for target in targets:
        try:
            work(target)
        except Refused as error:
            refused.append(str(error))
    if refused:
        raise Refused("".join(refused))
    return ""


def summary(item):
    """A line for an object, with what its waiting looks for (core/delivery/queries.ts)."""
    metadata, spec, status = item["metadata"], item.get("spec", {}), item.get("status", {})
    if item["kind"] == "Deployment":
        counts = [
            metadata.get("generation"),
            status.get("observedGeneration"),
            spec.get("replicas"),
            *(status.get(key) for key in ["updatedReplicas", "replicas", "availableReplicas"]),
        ]
        said = [
            f"{each['type']}={each['status']} {each.get('reason', '')}"
            for each in status.get("conditions", [])
        ]
        return " ".join(["D", *("-" if each is None else str(each) for each in counts), ";", *said])
    if item["kind"] == "Pod":
        containers = ["initContainerStatuses", "containerStatuses"]
        waiting = [
            each["state"]["waiting"].get("reason", "")
            for key in containers
            for each in status.get(key) or []
            if each.get("state", {}).get("waiting")
        ]
        return " ".join(["P", status.get("phase", ""), *waiting])
    taken = [
        f"{each['type']}={each['status']}={each.get('observedGeneration')}"
        for parent in status.get("parents") or []
        for each in parent.get("conditions") or []
    ]
    return " ".join(["R", str(metadata.get("generation")), *taken])


DEEDS = {
    **{"one": one, "all": every, "patch": patch},
    **{"create": create, "apply": apply, "delete": delete},
}


def ask(cluster, request, limit):
    """How a request ended: exit code, output, and what was said of it."""
    from http.client import HTTPException

    deed = next(DEEDS[key] for key in request if key in DEEDS)
    try:
        return 0, deed(cluster, request, limit), ""
    except Refused as refused:
        return 1, "", str(refused)
    except TimeoutError:
        return 124, "", f"the API server said nothing for {limit} s\n"
    except (OSError, HTTPException, ValueError) as error:
        return 1, "", f"kubectl proxy: {error or type(error).__name__}\n"
