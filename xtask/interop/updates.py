"""Watches virtual machines with pyvmomi's property collector while somebody else changes them.

    updates.py HOST PORT USER CHANGES

The password is the standard input's first line. Prints "ok NAME" or "FAIL NAME: REASON" for every check, and "seen CHANGE"
for every change of a machine's name and power state; ends after that number of changes, or after 30 seconds.
"""

import sys
import time

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

PATHS = ["name", "runtime.powerState", "config.annotation"]
POWER = {"poweredOn": "on", "poweredOff": "off", "suspended": "suspended"}
LONGEST = 30


def check(name, found, reason=""):
    print(f"ok {name}" if found else f"FAIL {name}: {reason}", flush=True)


def watch(content):
    """A collector with a filter for all machines."""
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    types = vmodl.query.PropertyCollector
    step = types.TraversalSpec(name="view", path="view", skip=False, type=vim.view.ContainerView)
    spec = types.FilterSpec(
        objectSet=[types.ObjectSpec(obj=view, skip=True, selectSet=[step])],
        propSet=[types.PropertySpec(type=vim.VirtualMachine, pathSet=PATHS)],
    )
    collector = content.propertyCollector.CreatePropertyCollector()
    collector.CreateFilter(spec, False)
    return collector


def apply(machines, update):
    """Follows an update, and returns the changes that events tell of too."""
    key = update.obj._moId
    if update.kind == "leave":
        return [f"{machines.pop(key)['name']} leaves"]
    changes = {change.name: change.val for change in update.changeSet}
    if update.kind == "enter":
        machines[key] = changes
        return [f"{changes['name']} enters"]
    before = dict(machines[key])
    machines[key].update(changes)
    seen = []
    if machines[key]["name"] != before["name"]:
        seen.append(f"{before['name']} becomes {changes['name']}")
    if machines[key]["runtime.powerState"] != before["runtime.powerState"]:
        seen.append(f"{machines[key]['name']} is {POWER[changes['runtime.powerState']]}")
    return seen


def main():
    host, port, user, expected = sys.argv[1:]
    expected = int(expected)
    password = sys.stdin.readline().rstrip("\n")
    instance = SmartConnect(
        host=host, port=int(port), user=user, pwd=password, disableSslCertValidation=True
    )
    content = instance.RetrieveContent()
    collector = watch(content)
    options = vmodl.query.PropertyCollector.WaitOptions(maxWaitSeconds=2)
    machines, version, truncated = {}, "", 0
    while True:
        answer = collector.WaitForUpdatesEx(version, options)
        version = answer.version
        for update in answer.filterSet[0].objectSet:
            apply(machines, update)
        if not answer.truncated:
            break
        truncated += 1
    check("first answers", len(machines) == 7 and truncated == 2, f"{len(machines)} machines, {truncated} truncated")

    seen, deadline = 0, time.monotonic() + LONGEST
    while seen < expected and time.monotonic() < deadline:
        answer = collector.WaitForUpdatesEx(version, options)
        if answer is None:
            continue
        before, version = version, answer.version
        for update in answer.filterSet[0].objectSet:
            for change in apply(machines, update):
                seen += 1
                print(f"seen {change}", flush=True)
    again = collector.WaitForUpdatesEx(before, options)
    check("the last answer can be asked for again", again.version == version, again.version)
    now = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True).view
    now = {vm._moId: (vm.name, vm.runtime.powerState, vm.config.annotation) for vm in now}
    known = {key: tuple(machine.get(path) for path in PATHS) for key, machine in machines.items()}
    check("updates put together", known == now, f"{known} instead of {now}")
    try:
        collector.WaitForUpdatesEx("4711", options)
    except vmodl.query.InvalidCollectorVersion:
        check("an unknown version", True)
    else:
        check("an unknown version", False, "no fault")
    collector.Destroy()
    Disconnect(instance)


main()
