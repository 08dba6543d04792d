"""Asks what virtual machines can be like on a server's hosts, and what the hosts have for them.

    environment.py HOST PORT USER

The password is the standard input's first line. Prints "ok NAME" or "FAIL NAME: REASON" for every check. pyvmomi refuses
values of other types than the API declares; what is required must be there.
"""

import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import VmomiSupport, vim, vmodl

OPTIONAL = VmomiSupport.F_OPTIONAL


def check(name, found, reason=""):
    print(f"ok {name}" if found else f"FAIL {name}: {reason}", flush=True)


def lacking(value, version, path):
    """What an answer lacks that its types require."""
    if isinstance(value, list):
        for item in value:
            yield from lacking(item, version, path)
    elif isinstance(value, VmomiSupport.DataObject):
        for prop in value._GetPropertyList():
            if not VmomiSupport.IsChildVersion(version, prop.version):
                continue
            found = getattr(value, prop.name)
            if found is None and not prop.flags & OPTIONAL:
                yield f"{path}.{prop.name}"
            yield from lacking(found, version, f"{path}.{prop.name}")


def options(browser, key, version):
    option = browser.QueryConfigOption(key, None)
    check(f"options of {key}", option.version == key, option.version)
    missing = sorted(set(lacking(option, version, key)))
    check(f"all of the options of {key}", not missing, missing[:5])
    types = {device.type.__name__ for device in option.hardwareOptions.virtualDeviceOption}
    wanted = set()
    for guest in option.guestOSDescriptor:
        wanted |= {ty.__name__ for ty in guest.supportedDiskControllerList}
        wanted |= {ty.__name__ for ty in guest.supportedEthernetCard}
    check(f"devices of the guests of {key}", wanted <= types, f"{wanted - types}")
    return option


def main():
    host, port, user = sys.argv[1:]
    password = sys.stdin.readline().rstrip("\n")
    instance = SmartConnect(
        host=host, port=int(port), user=user, pwd=password, disableSslCertValidation=True
    )
    version = instance._stub.version
    content = instance.RetrieveContent()
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.HostSystem], True)
    for one in view.view:
        browser = one.parent.environmentBrowser
        known = browser.QueryConfigOptionDescriptor()
        check("a version is the default", sum(bool(each.defaultConfigOption) for each in known) == 1)
        newest = [options(browser, each.key, version) for each in known][-1]
        default = browser.QueryConfigOption(None, one)
        check("the default is the newest", default.version == newest.version, default.version)
        target = browser.QueryConfigTarget(one)
        missing = sorted(set(lacking(target, version, "target")))
        check("all of the target", not missing, missing[:5])
        names = {each.name for each in target.datastore}
        check("datastores", names == {each.name for each in one.datastore}, names)
        threads = one.hardware.cpuInfo.numCpuThreads
        check("processors", target.numCpus == threads, target.numCpus)
        info = one.QueryHostConnectionInfo()
        missing = sorted(set(lacking(info, version, "info")))
        check("all of the connection", not missing, missing[:5])
        check("machines", len(info.vm) == len(one.vm), len(info.vm))
        check("itself", info.host.host._moId == one._moId, info.host.host)
        if VmomiSupport.IsChildVersion(version, "vim.version.version10"):
            guest = newest.guestOSDescriptor[0].id
            spec = vim.EnvironmentBrowser.ConfigOptionQuerySpec(guestId=[guest])
            found = browser.QueryConfigOptionEx(spec)
            check("options of a guest", [each.id for each in found.guestOSDescriptor] == [guest])
        try:
            browser.QueryConfigOption("vmx-99", None)
            check("an unknown version", False, "no fault")
        except vmodl.fault.InvalidArgument as fault:
            check("an unknown version", fault.invalidProperty == "key", fault)
    Disconnect(instance)


if __name__ == "__main__":
    main()
