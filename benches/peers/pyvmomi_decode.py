"""Decodes an answer of RetrievePropertiesEx with pyvmomi, from memory, and prints the seconds that the faster of two rounds took."""

import io
import sys
import time

from pyVmomi import SoapAdapter, vim, vmodl
from pyVmomi.VmomiSupport import newestVersions

ROUNDS = 2


def main(path):
    with open(path, "rb") as file:
        answer = file.read()
    vim.VirtualMachine  # the types are loaded when they are first named
    result_type = vmodl.query.PropertyCollector.RetrieveResult
    seconds = []
    for _ in range(ROUNDS):
        stub = SoapAdapter.SoapStubAdapter("127.0.0.1", version=newestVersions.GetName("vim"))
        begin = time.perf_counter()
        found = SoapAdapter.SoapResponseDeserializer(stub).Deserialize(io.BytesIO(answer), result_type)
        seconds.append(time.perf_counter() - begin)
    if not found.objects:
        sys.exit("the answer has no objects")
    print(min(seconds))


main(sys.argv[1])
