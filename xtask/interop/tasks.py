"""Reads tasks as pyvmomi's samples do: `while task.info.state` until it is over, with nothing else asked in between.

    tasks.py HOST PORT USER

The password is the standard input's first line. Prints "ok NAME" or "FAIL NAME: REASON" for every check.
"""

import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim


def check(name, found, reason):
    print(f"ok {name}" if found else f"FAIL {name}: {reason}", flush=True)


def over(task, most=50):
    """Whether a task ends while it is read."""
    for _ in range(most):
        if task.info.state in (vim.TaskInfo.State.success, vim.TaskInfo.State.error):
            return True
    return False


def run(user, labels, name, task):
    check(f"{name}: ends", over(task), "stands still")
    try:
        info = task.info
    except TypeError as error:
        check(f"{name}: is readable", False, error)
        return
    check(f"{name}: succeeds", info.state == vim.TaskInfo.State.success, info.error)
    entity = info.entity
    check(f"{name}: entity", entity is None or isinstance(entity, vim.ManagedEntity), entity)
    named = entity.name if entity else None
    check(f"{name}: its name", named == info.entityName, f"{named} and {info.entityName}")
    check(f"{name}: initiator", info.reason.userName == user, info.reason)
    check(f"{name}: described", info.descriptionId in labels, info.descriptionId)


def main():
    host, port, user = sys.argv[1:]
    password = sys.stdin.readline().rstrip("\n")
    instance = SmartConnect(
        host=host, port=int(port), user=user, pwd=password, disableSslCertValidation=True
    )
    content = instance.RetrieveContent()
    session = content.sessionManager.currentSession
    check("user agent", "pyvmomi" in session.userAgent.lower(), session.userAgent)
    check("user", session.userName == user, session.userName)
    labels = {method.key: method.label for method in content.taskManager.description.methodInfo}
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    machine = next(vm for vm in view.view if vm.name == "web01")

    def do(name, task):
        run(user, labels, name, task)

    before = (machine.guest.ipAddress, machine.guest.hostName)
    check("the guest has an address", None not in before, before)
    do("power off", machine.PowerOffVM_Task())
    check("the guest is silent", machine.guest.ipAddress is None, machine.guest.ipAddress)
    for name, task in (
        ("power on", machine.PowerOnVM_Task),
        ("reset", machine.ResetVM_Task),
    ):
        do(name, task())
        after = (machine.guest.ipAddress, machine.guest.hostName)
        check(f"the guest has its address after {name}", after == before, after)
    do("snapshot", machine.CreateSnapshot_Task("one", "", False, False))
    do("remove snapshots", machine.RemoveAllSnapshots_Task())
    do("reconfigure", machine.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="changed")))

    store = machine.datastore[0]
    datacenter = store
    while not isinstance(datacenter, vim.Datacenter):
        datacenter = datacenter.parent
    for path in ("", " .", " /", ".", "/"):
        do(f"search {path!r}", store.browser.SearchDatastore_Task(f"[{store.name}]{path}"))
    do("search below", store.browser.SearchDatastoreSubFolders_Task(f"[{store.name}]"))
    spec = vim.VirtualDiskManager.FileBackedVirtualDiskSpec(
        diskType="thin", adapterType="lsiLogic", capacityKb=1024
    )
    disks, files = content.virtualDiskManager, content.fileManager
    disk, copy = f"[{store.name}] new.vmdk", f"[{store.name}] copy.vmdk"
    do("create disk", disks.CreateVirtualDisk_Task(disk, datacenter, spec))
    do("copy disk", disks.CopyVirtualDisk_Task(disk, datacenter, copy, datacenter))
    do("delete disk", disks.DeleteVirtualDisk_Task(disk, datacenter))
    do("delete file", files.DeleteDatastoreFile_Task(copy, datacenter))
    owner = machine.runtime.host
    do("enter maintenance", far(content, owner).EnterMaintenanceMode_Task(0))
    do("exit maintenance", far(content, owner).ExitMaintenanceMode_Task(0))

    events = content.eventManager.QueryEvents(vim.event.EventFilterSpec())
    users = {event.userName for event in events}
    check("events are the user's", users <= {user, "", "User"} and user in users, users)
    Disconnect(instance)


def far(content, busy):
    """A host without running machines, which are taken from it if there is none."""
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.HostSystem], True)
    hosts = [host for host in view.view if host != busy] or [busy]
    for vm in hosts[0].vm:
        if vm.runtime.powerState == vim.VirtualMachine.PowerState.poweredOn:
            over(vm.PowerOffVM_Task())
    return hosts[0]


if __name__ == "__main__":
    main()
