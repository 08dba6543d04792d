"""Makes, changes, copies and removes virtual machines with pyvmomi.

    machines.py HOST PORT USER [free]

With `free`, the server has a free licence and refuses all of it. The password is the standard input's first line. Prints "ok NAME" or "FAIL NAME: REASON" for every check; exits with 1 when
something unexpected ends it.
"""

import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

KIB_PER_GIB = 1 << 20


def check(name, found, reason=""):
    print(f"ok {name}" if found else f"FAIL {name}: {reason}", flush=True)


def equal(name, found, expected):
    check(name, found == expected, f"{found!r} instead of {expected!r}")


def run(task):
    """The result of a task that succeeds."""
    WaitForTask(task)
    return task.info.result


def refused(name, fault, call):
    """Whether a call, or the task that it begins, fails with a fault of that type."""
    try:
        task = call()
        if isinstance(task, vim.Task):
            WaitForTask(task)
    except fault:
        check(name, True)
    except vmodl.MethodFault as other:
        check(name, False, f"{type(other).__name__} instead of {fault.__name__}")
    else:
        check(name, False, f"no fault instead of {fault.__name__}")


def find(content, kind, name=None):
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    found = [each for each in view.view if name in (None, each.name)]
    view.DestroyView()
    return found[0] if found else None


def add(device, create=False):
    spec = vim.vm.device.VirtualDeviceSpec(operation="add", device=device)
    if create:
        spec.fileOperation = "create"
    return spec


def disk(unit, gib, controller):
    backing = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(
        fileName="", diskMode="persistent", thinProvisioned=True
    )
    device = vim.vm.device.VirtualDisk(
        key=-100 - unit,
        controllerKey=controller,
        unitNumber=unit,
        capacityInKB=gib * KIB_PER_GIB,
        backing=backing,
    )
    return add(device, create=True)


def devices(machine, kind):
    return [each for each in machine.config.hardware.device if isinstance(each, kind)]


def files(store, path):
    """The names of the files in a folder of a datastore; none if there is no such folder."""
    try:
        result = run(store.browser.SearchDatastore_Task(f"[{store.name}] {path}"))
    except vim.fault.FileNotFound:
        return []
    return sorted(each.path for each in result.file)


def create(folder, pool, host, store, name):
    controller = vim.vm.device.ParaVirtualSCSIController(key=-1, busNumber=0, sharedBus="noSharing")
    card = vim.vm.device.VirtualVmxnet3(
        key=-2,
        backing=vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(deviceName="VM Network"),
        addressType="generated",
    )
    spec = vim.vm.ConfigSpec(
        name=name,
        guestId="debian12_64Guest",
        numCPUs=2,
        memoryMB=1024,
        files=vim.vm.FileInfo(vmPathName=f"[{store.name}]"),
        deviceChange=[add(controller), disk(0, 1, -1), add(card)],
    )
    return run(folder.CreateVM_Task(config=spec, pool=pool, host=host))


def reconfigure(machine):
    controller = devices(machine, vim.vm.device.ParaVirtualSCSIController)[0]
    spec = vim.vm.ConfigSpec(
        memoryMB=2048,
        numCPUs=4,
        annotation="made by pyvmomi",
        deviceChange=[disk(1, 2, controller.key)],
        extraConfig=[vim.option.OptionValue(key="guestinfo.role", value="test")],
    )
    run(machine.ReconfigVM_Task(spec))
    config = machine.config
    equal("reconfigured: memory", config.hardware.memoryMB, 2048)
    equal("reconfigured: processors", config.hardware.numCPU, 4)
    equal("reconfigured: annotation", config.annotation, "made by pyvmomi")
    options = {each.key: each.value for each in config.extraConfig}
    equal("reconfigured: option", options.get("guestinfo.role"), "test")
    disks = devices(machine, vim.vm.device.VirtualDisk)
    sizes = [each.capacityInKB for each in disks]
    equal("reconfigured: disks", sizes, [KIB_PER_GIB, 2 * KIB_PER_GIB])
    removal = vim.vm.device.VirtualDeviceSpec(
        operation="remove", fileOperation="destroy", device=disks[1]
    )
    run(machine.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[removal])))
    equal("disk removed", len(devices(machine, vim.vm.device.VirtualDisk)), 1)
    wrong = vim.vm.ConfigSpec(memoryMB=-4)
    refused("wrong memory", vmodl.fault.InvalidArgument, lambda: machine.ReconfigVM_Task(wrong))


def snapshots(machine):
    def take(name):
        return run(machine.CreateSnapshot_Task(name, f"about {name}", False, False))

    first = take("first")
    second = take("second")
    root = machine.snapshot.rootSnapshotList[0]
    equal("snapshot: name", root.name, "first")
    equal("snapshot: child", [each.name for each in root.childSnapshotList], ["second"])
    equal("snapshot: current", machine.snapshot.currentSnapshot, second)
    backing = devices(machine, vim.vm.device.VirtualDisk)[0].backing
    check("snapshot: chain", backing.parent is not None, "the disk has no parent")
    second.RenameSnapshot(name="renamed", description="again")
    tree = machine.snapshot.rootSnapshotList[0].childSnapshotList[0]
    equal("snapshot: renamed", (tree.name, tree.description), ("renamed", "again"))
    run(machine.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="later")))
    run(first.RevertToSnapshot_Task())
    equal("snapshot: reverted", machine.config.annotation, "made by pyvmomi")
    equal("snapshot: current after the revert", machine.snapshot.currentSnapshot, first)
    run(second.RemoveSnapshot_Task(removeChildren=False))
    equal("snapshot: removed", machine.snapshot.rootSnapshotList[0].childSnapshotList, [])
    return first


def power(machine):
    run(machine.PowerOnVM_Task())
    equal("power: on", machine.runtime.powerState, "poweredOn")
    refused("power: on twice", vim.fault.InvalidPowerState, machine.PowerOnVM_Task)
    refused("power: destroy", vim.fault.InvalidPowerState, machine.Destroy_Task)
    path = run(machine.CreateScreenshot_Task())
    check("screenshot", path.endswith(".png"), path)
    run(machine.PowerOffVM_Task())
    equal("power: off", machine.runtime.powerState, "poweredOff")


def clones(content, machine, snapshot):
    def clone(name, **relocation):
        spec = vim.vm.CloneSpec(
            location=vim.vm.RelocateSpec(**relocation),
            template=False,
            powerOn=False,
            snapshot=snapshot if relocation else None,
        )
        return machine.CloneVM_Task(machine.parent, name, spec)

    if content.about.apiType != "VirtualCenter":
        refused("clone on a host", vmodl.fault.NotSupported, lambda: clone("copy"))
        return
    full = run(clone("full"))
    linked = run(clone("linked", diskMoveType="createNewChildDiskBacking"))
    for copy in full, linked:
        check(f"{copy.name}: own uuid", copy.config.uuid != machine.config.uuid, "the same uuid")
        equal(f"{copy.name}: memory", copy.config.hardware.memoryMB, 2048)
    backing = devices(full, vim.vm.device.VirtualDisk)[0].backing
    check("full: disk", backing.parent is None, "the disk has a parent")
    backing = devices(linked, vim.vm.device.VirtualDisk)[0].backing
    base = snapshot.config.hardware.device
    base = [each for each in base if isinstance(each, vim.vm.device.VirtualDisk)][0].backing
    equal("linked: disk", backing.parent and backing.parent.fileName, base.fileName)
    refused("clone: the same name", vim.fault.DuplicateName, lambda: clone("full"))
    for copy in full, linked:
        run(copy.Destroy_Task())
    equal("clones removed", find(content, vim.VirtualMachine, "linked"), None)
    check("base stays", files(machine.datastore[0], machine.name), "no files")


def moves(instance, machine):
    if instance.content.about.apiType != "VirtualCenter":
        return
    here = machine.runtime.host
    there = [each for each in here.parent.host if each != here][0]
    problems = instance.ValidateMigration(vm=[machine], host=there, pool=machine.resourcePool)
    equal("migration: problems", list(problems), [])
    run(machine.MigrateVM_Task(host=there, priority="defaultPriority"))
    equal("migration: host", machine.runtime.host, there)
    check("migration: list", machine in there.vm, "the host does not have the machine")
    store = [each for each in here.datastore if each != machine.datastore[0]][0]
    run(machine.RelocateVM_Task(vim.vm.RelocateSpec(datastore=store)))
    equal("relocation", list(machine.datastore), [store])


def places(content, machine):
    if content.about.apiType != "VirtualCenter":
        folder = find(content, vim.Folder, "vm")
        refused("folder on a host", vmodl.fault.NotSupported, lambda: folder.CreateFolder("x"))
        return
    folder = machine.parent.CreateFolder("made by pyvmomi")
    run(folder.MoveIntoFolder_Task([machine]))
    equal("folder", machine.parent, folder)
    run(folder.parent.MoveIntoFolder_Task([machine]))
    run(folder.Destroy_Task())

    def shares():
        return vim.ResourceAllocationInfo(
            reservation=0,
            expandableReservation=True,
            limit=-1,
            shares=vim.SharesInfo(shares=0, level="normal"),
        )

    spec = vim.ResourceConfigSpec(cpuAllocation=shares(), memoryAllocation=shares())
    root = machine.resourcePool
    pool = root.CreateResourcePool("made by pyvmomi", spec)
    pool.MoveIntoResourcePool([machine])
    equal("pool", machine.resourcePool, pool)
    run(pool.Destroy_Task())
    equal("pool removed", machine.resourcePool, root)
    datacenter = content.rootFolder.CreateDatacenter("pyvmomi")
    check("datacenter", datacenter.vmFolder is not None, "no folder for machines")
    run(datacenter.Destroy_Task())


def licence(content, machine):
    """A server with a free licence is read, and nothing is changed."""
    fault = vim.fault.RestrictedVersion
    folder, pool = machine.parent, machine.resourcePool
    spec = vim.vm.ConfigSpec(name="new", files=vim.vm.FileInfo(vmPathName="[ssd]"))
    before = machine.config.changeVersion
    refused("licence: create", fault, lambda: folder.CreateVM_Task(config=spec, pool=pool))
    refused("licence: change", fault, lambda: machine.ReconfigVM_Task(vim.vm.ConfigSpec(numCPUs=1)))
    refused("licence: power", fault, machine.PowerOffVM_Task)
    refused("licence: snapshot", fault, lambda: machine.CreateSnapshot_Task("s", "", False, False))
    refused("licence: remove", fault, machine.Destroy_Task)
    equal("licence: nothing changed", machine.config.changeVersion, before)
    equal("licence: nothing new", find(content, vim.VirtualMachine, "new"), None)


def main():
    host, port, user, *free = sys.argv[1:]
    password = sys.stdin.readline().rstrip("\n")
    instance = SmartConnect(
        host=host, port=int(port), user=user, pwd=password, disableSslCertValidation=True
    )
    content = instance.RetrieveContent()
    sample = find(content, vim.VirtualMachine)
    if free:
        licence(content, sample)
        Disconnect(instance)
        return
    folder, pool, runs_on = sample.parent, sample.resourcePool, sample.runtime.host
    store = sample.datastore[0]

    machine = create(folder, pool, runs_on, store, "pyvmomi01")
    equal("created: name", machine.name, "pyvmomi01")
    equal("created: processors", machine.config.hardware.numCPU, 2)
    equal("created: host", machine.runtime.host, runs_on)
    own = [f"pyvmomi01.{kind}" for kind in ("nvram", "vmdk", "vmsd", "vmx")]
    lost = set(own) - set(files(store, "pyvmomi01"))
    check("created: files", not lost, f"lacks {sorted(lost)}")

    reconfigure(machine)
    power(machine)
    first = snapshots(machine)
    clones(content, machine, first)
    run(machine.RemoveAllSnapshots_Task())
    equal("snapshots: none", machine.snapshot, None)
    moves(instance, machine)
    places(content, machine)

    run(machine.Rename_Task("pyvmomi02"))
    equal("renamed", machine.name, "pyvmomi02")
    refused("renamed: nothing", vim.fault.InvalidName, lambda: machine.Rename_Task(""))
    store = machine.datastore[0]
    run(machine.Destroy_Task())
    equal("removed", find(content, vim.VirtualMachine, "pyvmomi02"), None)
    left = [name for name in files(store, "pyvmomi01") if not name.endswith(".png")]
    equal("removed: files", left, [])
    Disconnect(instance)


if __name__ == "__main__":
    main()
