"""Writes requests with pyvmomi.

Reads a request a line from the standard input, as JSON: {"method": NAME, "this": VALUE, "arguments": [[NAME, VALUE],
...]}, where a VALUE is an object of one entry, its type and its content. Prints for each {"xml": TEXT} or
{"error": TEXT}.
"""

import datetime
import json
import sys

from pyVmomi import SoapAdapter, VmomiSupport, vim, vmodl
from pyVmomi.VmomiSupport import GetVmodlType, GetWsdlMethod, GetWsdlType, ManagedMethod, newestVersions

NAMESPACE = "urn:vim25"
VERSION = newestVersions.GetName("vim")
STUB = SoapAdapter.SoapStubAdapter(host="localhost", version=VERSION)
PLAIN = {"boolean", "string", "byte", "short", "int", "long", "float", "double"}


def build(value, declared):
    """The value as pyvmomi has it, in a place of the type `declared`."""
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind == "list":
        item = declared.Item
        return declared([build(each, item) for each in content])
    if kind == "object":
        return build_object(*content)
    if kind == "reference":
        return GetWsdlType(NAMESPACE, content[0])(content[1], STUB)
    if kind == "enum":
        return getattr(GetWsdlType(NAMESPACE, content[0]), content[1])
    if kind == "dateTime":
        return datetime.datetime.fromisoformat(content.replace("Z", "+00:00"))
    if kind == "base64Binary":
        return VmomiSupport.binary(content)
    if kind == "string" and declared is type:
        return GetWsdlType(NAMESPACE, content)
    if kind == "string" and declared is ManagedMethod:
        return GetWsdlMethod(NAMESPACE, content)
    if kind == "string" and declared is VmomiSupport.PropertyPath:
        return VmomiSupport.PropertyPath(content)
    if kind in PLAIN:
        wanted = declared if declared not in (object, None) else GetVmodlType(kind)
        return wanted(content)
    raise ValueError(f"{kind} is no kind of value")


def build_object(name, fields):
    if name == "LocalizedMethodFault":
        # pyvmomi knows faults without this envelope, and makes it when it writes.
        values = dict(fields)
        fault = build(values["fault"], None)
        if "localizedMessage" in values:
            fault.msg = values["localizedMessage"]["string"]
        return fault
    data = GetWsdlType(NAMESPACE, name)()
    for field, value in fields:
        setattr(data, field, build(value, data._GetPropertyInfo(field).type))
    return data


def serialize(request):
    info = GetWsdlMethod(NAMESPACE, request["method"]).info
    given = dict(request["arguments"])
    unknown = set(given) - {param.name for param in info.params}
    if unknown:
        raise ValueError(f"pyvmomi has no parameters {sorted(unknown)}")
    arguments = [build(given.get(param.name), param.type) for param in info.params]
    return STUB.SerializeRequest(build(request["this"], None), info, arguments).decode()


def main():
    for line in sys.stdin:
        try:
            answer = {"xml": serialize(json.loads(line))}
        except Exception as error:  # each request stands for itself
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
