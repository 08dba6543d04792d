"""Walks a vSphere server's inventory with pyvmomi.

    walk.py HOST PORT USER EXPECTED_VMS

The password is the standard input's first line. Prints "ok NAME" or "FAIL NAME: REASON" for every
check; exits with 1 when the connection itself fails.
"""

import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

PATHS = ["name", "config", "runtime", "guest", "summary"]


def check(name, found, reason):
    print(f"ok {name}" if found else f"FAIL {name}: {reason}", flush=True)


def retrieve_all(content, view, page):
    """All virtual machines' PATHS, in pages of `page` objects; also the number of pages."""
    collector = vmodl.query.PropertyCollector
    spec = collector.FilterSpec(
        objectSet=[
            collector.ObjectSpec(
                obj=view,
                skip=True,
                selectSet=[
                    collector.TraversalSpec(
                        name="view", path="view", skip=False, type=vim.view.ContainerView
                    )
                ],
            )
        ],
        propSet=[collector.PropertySpec(type=vim.VirtualMachine, pathSet=PATHS)],
    )
    options = collector.RetrieveOptions(maxObjects=page)
    answer = content.propertyCollector.RetrievePropertiesEx([spec], options)
    objects, pages = list(answer.objects), 1
    while answer.token:
        answer = content.propertyCollector.ContinueRetrievePropertiesEx(answer.token)
        objects += answer.objects
        pages += 1
    return objects, pages


def main():
    host, port, user, expected = sys.argv[1:]
    expected = int(expected)
    password = sys.stdin.readline().rstrip("\n")
    instance = SmartConnect(
        host=host, port=int(port), user=user, pwd=password, disableSslCertValidation=True
    )
    check("login", instance.content.sessionManager.currentSession is not None, "no current session")
    content = instance.RetrieveContent()
    check("about", content.about.apiType in ("HostAgent", "VirtualCenter"), content.about.apiType)

    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    check("container view", len(view.view) == expected, f"{len(view.view)} of {expected}")

    for page in (None, 2):
        objects, pages = retrieve_all(content, view, page)
        name = "one answer" if page is None else "pages"
        check(f"{name}: objects", len(objects) == expected, f"{len(objects)} of {expected}")
        if page is not None:
            wanted = -(-expected // page)
            check(f"{name}: number", pages == wanted, f"{pages} instead of {wanted}")
        for each in objects:
            values = {prop.name: prop.val for prop in each.propSet}
            lost = [path for path in PATHS if values.get(path) is None]
            check(f"{name}: {each.obj._moId} complete", not lost, f"lacks {lost}")
            same = (
                values["name"] == values["config"].name == values["summary"].config.name
                and values["runtime"].powerState == values["summary"].runtime.powerState
            )
            check(f"{name}: {each.obj._moId} consistent", same, "the same values differ")

    machine = view.view[0]
    check("nested path", isinstance(machine.config.hardware.device, list), "no device list")
    entity, steps = machine, 0
    while entity.parent is not None and steps < 20:
        entity, steps = entity.parent, steps + 1
    check("walk up", entity == content.rootFolder, f"ends at {entity!r}")
    view.DestroyView()
    Disconnect(instance)
    check("logout", True, "")


if __name__ == "__main__":
    main()
