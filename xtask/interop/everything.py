"""Reads every property of every object of a server, and checks that what its type requires is there.

    everything.py HOST PORT USER

The password is the standard input's first line. Prints "ok NAME" or "FAIL NAME: REASON" for every check. pyvmomi refuses
values of other types than the API declares.
"""

import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import VmomiSupport, vim, vmodl

# Calls that have no arguments, on managers: each is answered, or refused with a fault that names the call.
CALLS = [
    ("authorizationManager", "RetrieveAllPermissions"),
    ("extensionManager", "FindExtension"),
    ("customFieldsManager", "AddCustomFieldDef"),
    ("cryptoManager", "ListKeys"),
]

OPTIONAL = VmomiSupport.F_OPTIONAL


def check(name, found, reason):
    print(f"ok {name}" if found else f"FAIL {name}: {reason}", flush=True)


def objects_in(value, found):
    """All managed objects that a value refers to."""
    if isinstance(value, VmomiSupport.ManagedObject):
        found.append(value)
    elif isinstance(value, list):
        for item in value:
            objects_in(item, found)
    elif isinstance(value, VmomiSupport.DataObject):
        for prop in value._GetPropertyList():
            objects_in(getattr(value, prop.name), found)


def properties_of(ty, version):
    """The properties of a type that this version of the API has."""
    every = ty._GetPropertyList()
    return [prop for prop in every if VmomiSupport.IsChildVersion(version, prop.version)]


def read(thing, ty, version, ahead, lacking):
    """Reads an object's properties; returns their number."""
    count = 0
    for prop in properties_of(ty, version):
        path = f"{ty.__name__}.{prop.name}"
        try:
            value = getattr(thing, prop.name)
        except Exception as error:  # pylint: disable=broad-except
            lacking.add(f"{path}: {type(error).__name__} {str(error)[:200]}")
            continue
        count += 1
        if value is None and not prop.flags & OPTIONAL:
            lacking.add(f"{path}: required, and not there")
        objects_in(value, ahead)
    return count


def refusals(content, lacking):
    """Calls that a manager may not know."""
    for member, method in CALLS:
        manager = getattr(content, member, None)
        if manager is None:
            continue
        call = getattr(manager, method)
        arguments = {"FindExtension": ["nobody"], "AddCustomFieldDef": ["field"]}.get(method, [])
        try:
            call(*arguments)
        except vmodl.RuntimeFault as fault:
            if method not in fault.msg:
                lacking.add(f"{member}.{method}: {fault.msg}")


def main():
    host, port, user = sys.argv[1:]
    password = sys.stdin.readline().rstrip("\n")
    instance = SmartConnect(
        host=host, port=int(port), user=user, pwd=password, disableSslCertValidation=True
    )
    version = instance._stub.version
    content = instance.RetrieveContent()
    # What a session makes is there, too.
    content.viewManager.CreateContainerView(content.rootFolder, [vim.ManagedEntity], True)
    ahead, known, lacking, count = [instance], set(), set(), 0
    by_type = {}
    while ahead:
        thing = ahead.pop()
        if (type(thing), thing._moId) in known:
            continue
        known.add((type(thing), thing._moId))
        by_type[type(thing).__name__] = by_type.get(type(thing).__name__, 0) + 1
        count += read(thing, type(thing), version, ahead, lacking)
    members = [prop.name for prop in content._GetPropertyList()]
    there = [name for name in members if isinstance(getattr(content, name), VmomiSupport.ManagedObject)]
    # As many as releases have: each brought some.
    is_vcenter = content.about.apiType == "VirtualCenter"
    release = content.about.apiVersion
    if release.startswith("5."):
        wanted = 34 if is_vcenter else 23
    elif release.startswith("6."):
        wanted = 43 if is_vcenter else 25
    else:
        wanted = 44 if is_vcenter else 25
    check("members of the service content", len(there) >= wanted, f"{len(there)}: {there}")
    refusals(content, lacking)
    for one in sorted(lacking):
        check("property", False, one)
    check("objects", len(known) > 60 and len(by_type) > 40, by_type)
    check("properties", count > 500, count)
    Disconnect(instance)


if __name__ == "__main__":
    main()
