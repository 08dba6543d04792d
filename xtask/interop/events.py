"""Reads a vSphere server's event history with pyvmomi.

    events.py HOST PORT USER

The password is the standard input's first line. Prints "ok NAME" or "FAIL NAME: REASON" for every
check; exits with 1 when the connection itself fails.
"""

import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl


def check(name, found, reason):
    print(f"ok {name}" if found else f"FAIL {name}: {reason}", flush=True)


def run(task):
    WaitForTask(task)


def names(events):
    return [type(event).__name__.split(".")[-1] for event in events]


def keys(events):
    return [event.key for event in events]


def find(content, name):
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    found = [vm for vm in view.view if vm.name == name]
    view.Destroy()
    return found[0]


def pages(manager):
    """Forward from the oldest, back, and the latest page."""
    collector = manager.CreateCollectorForEvents(vim.event.EventFilterSpec())
    forward = []
    while page := collector.ReadNextEvents(4):
        forward += page
    check("forward", keys(forward) == sorted(keys(forward)), keys(forward))
    check("whole", len(forward) >= 20, len(forward))
    check("end", collector.ReadNextEvents(10) == [], "there are more")
    collector.RewindCollector()
    check("rewound", keys(collector.ReadNextEvents(1000)) == keys(forward), "differs")
    latest = collector.latestPage
    expected = keys(reversed(forward[-10:]))
    check("latest page", keys(latest) == expected, f"{keys(latest)} not {expected}")
    collector.SetCollectorPageSize(3)
    check("page size", keys(collector.latestPage) == expected[:3], keys(collector.latestPage))
    collector.ResetCollector()
    back = []
    while page := collector.ReadPreviousEvents(4):
        back += page
    check("back", keys(back) == keys(reversed(forward[:-3])), keys(back))
    for size in (0, 1001):
        try:
            collector.SetCollectorPageSize(size)
            check(f"page size {size}", False, "is taken")
        except vmodl.fault.InvalidArgument:
            check(f"page size {size}", True, "")
    collector.DestroyCollector()
    try:
        collector.ReadNextEvents(1)
        check("destroyed", False, "can be read")
    except vmodl.fault.ManagedObjectNotFound:
        check("destroyed", True, "")


def filters(manager, vm):
    spec = vim.event.EventFilterSpec
    by_type = spec(eventTypeId=["VmPoweredOnEvent", "VmPoweredOffEvent"])
    found = names(manager.QueryEvents(by_type))
    check("types", set(found) == {"VmPoweredOnEvent", "VmPoweredOffEvent"}, found)
    of_class = names(manager.QueryEvents(spec(type=[vim.event.UserLoginSessionEvent])))
    check("class", set(of_class) == {"UserLoginSessionEvent"}, of_class)
    recursion = spec.RecursionOption
    about = spec.ByEntity(entity=vm, recursion=recursion.all)
    of_vm = manager.QueryEvents(spec(entity=about))
    check("entity", of_vm and all(event.vm.vm == vm for event in of_vm), names(of_vm))
    root = spec.ByEntity(entity=vm.parent.parent, recursion=recursion.children)
    below = manager.QueryEvents(spec(entity=root))
    check("children", len(below) >= len(of_vm), len(below))
    since = spec.ByTime(beginTime=of_vm[-1].createdTime)
    later = manager.QueryEvents(spec(time=since))
    check("time", all(event.createdTime >= of_vm[-1].createdTime for event in later), keys(later))
    users = spec.ByUsername(systemUser=False, userList=[of_vm[0].userName])
    mine = manager.QueryEvents(spec(userName=users))
    check("user", {event.userName for event in mine} == {of_vm[0].userName}, len(mine))


def follow(instance, manager, vm):
    """The latest page, as WaitForUpdatesEx reports it."""
    by_type = vim.event.EventFilterSpec(eventTypeId=["VmPoweredOnEvent"])
    collector = manager.CreateCollectorForEvents(by_type)
    properties = vmodl.query.PropertyCollector
    spec = properties.FilterSpec(
        objectSet=[properties.ObjectSpec(obj=collector)],
        propSet=[properties.PropertySpec(type=vim.event.EventHistoryCollector, pathSet=["latestPage"])],
    )
    # WaitForTask uses the session's collector.
    own = instance.content.propertyCollector.CreatePropertyCollector()
    watched = own.CreateFilter(spec, False)
    first = own.WaitForUpdatesEx("", properties.WaitOptions(maxWaitSeconds=10))
    run(vm.PowerOffVM_Task())
    run(vm.PowerOnVM_Task())
    update = own.WaitForUpdatesEx(first.version, properties.WaitOptions(maxWaitSeconds=10))
    change = update.filterSet[0].objectSet[0].changeSet[0]
    check("update", change.name == "latestPage", change.name)
    check("newest first", change.val[0].vm.vm == vm, change.val[0])
    check("latest event", manager.latestEvent.key >= change.val[0].key, manager.latestEvent)
    watched.Destroy()
    own.Destroy()
    collector.DestroyCollector()


def main():
    host, port, user = sys.argv[1:]
    password = sys.stdin.readline().rstrip("\n")
    instance = SmartConnect(
        host=host, port=int(port), user=user, pwd=password, disableSslCertValidation=True
    )
    content = instance.RetrieveContent()
    manager = content.eventManager
    vm = find(content, "web01")
    for _ in range(4):
        run(vm.PowerOffVM_Task())
        run(vm.PowerOnVM_Task())
    pages(manager)
    filters(manager, vm)
    follow(instance, manager, vm)
    manager.LogUserEvent(entity=vm, msg="maintenance")
    check("user event", manager.latestEvent.message == "maintenance", manager.latestEvent)
    described = {info.key: info for info in manager.description.eventInfo}
    powered_on = [info for key, info in described.items() if "VmPoweredOnEvent" in str(key)]
    check("description", powered_on and powered_on[0].category == "info", len(described))
    Disconnect(instance)


main()
