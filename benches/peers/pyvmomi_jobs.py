"""The jobs of `run` with pyvmomi: the shortest way that it offers.

    pyvmomi_jobs.py PROTOCOL HOST PORT USER JOB [NAME], with the password in PASSWORD
"""

import os
import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import vim, vmodl

Collector = vmodl.query.PropertyCollector


def machines(content, properties):
    """Properties of all machines, in as many pages as the server makes."""
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    traversal = Collector.TraversalSpec(name="view", path="view", skip=False, type=vim.view.ContainerView)
    spec = Collector.FilterSpec(
        objectSet=[Collector.ObjectSpec(obj=view, skip=True, selectSet=[traversal])],
        propSet=[Collector.PropertySpec(type=vim.VirtualMachine, pathSet=properties)],
    )
    collector = content.propertyCollector
    page = collector.RetrievePropertiesEx([spec], Collector.RetrieveOptions())
    while page:
        for found in page.objects:
            yield found.obj, {property.name: property.val for property in found.propSet}
        page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None
    view.Destroy()


def listing(content):
    for machine, found in machines(content, ["name", "runtime.powerState"]):
        print(machine._moId, found["name"], found["runtime.powerState"])


def everything(content):
    devices = [len(found["config"].hardware.device) for _, found in machines(content, ["config", "runtime", "guest"])]
    print(len(devices), "machines,", sum(devices), "devices")


def machine(content, name):
    """A machine in the folder of the only datacenter."""
    return content.searchIndex.FindChild(content.rootFolder.childEntity[0].vmFolder, name)


def one(content, name):
    found = machine(content, name)
    config = found.config
    print(config.name, config.uuid, found.runtime.powerState)


def cycle(content, name):
    found = machine(content, name)
    WaitForTask(found.PowerOffVM_Task())
    WaitForTask(found.PowerOnVM_Task())


JOBS = {"connect": lambda content: None, "list": listing, "all": everything, "one": one, "cycle": cycle}


def main(protocol, host, port, user, job, *names):
    service = SmartConnect(
        protocol=protocol,
        host=host,
        port=int(port),
        user=user,
        pwd=os.environ["PASSWORD"],
        disableSslCertValidation=True,
    )
    JOBS[job](service.RetrieveContent(), *names)
    Disconnect(service)


main(*sys.argv[1:])
