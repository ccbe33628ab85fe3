"""Holds the statements in a folder to the schemas of their makers: in-toto's and CycloneDX's.

    validate.py FOLDER

Prints the predicates that it could judge; a field that a schema does not know is an error.
"""

import json
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor


def sbom(predicate):
    version = SchemaVersion.from_version(predicate["specVersion"])
    problem = JsonStrictValidator(version).validate_str(json.dumps(predicate))
    if problem:
        raise ValueError(problem)


def provenance(predicate):
    read = json_format.ParseDict(predicate, provenance_pb2.Provenance())
    dependencies = read.build_definition.resolved_dependencies
    if not (dependencies and read.build_definition.build_type and read.run_details.builder.id):
        raise ValueError("a required field is empty")
    for one in dependencies:
        ResourceDescriptor.copy_from_pb(one).validate()


def tests(predicate):
    json_format.ParseDict(predicate, test_result_pb2.TestResult())


JUDGES = {"provenance": provenance, "sbom": sbom, "tests": tests}

for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    statement = json.loads(path.read_text())
    json_format.ParseDict(statement, statement_pb2.Statement())
    name = path.name.split("-")[0]
    if name in JUDGES:
        JUDGES[name](statement["predicate"])
        print(name)
