"""Decodes an answer with pyvmomi, from memory, and prints how fast."""

import gzip
import io
import sys
import time

from pyVmomi import SoapAdapter, vim, vmodl
from pyVmomi.VmomiSupport import newestVersions

ROUNDS = 2


def main(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as file:
        answer = file.read()
    vim.VirtualMachine  # the types are loaded when they are first named
    result_type = vmodl.query.PropertyCollector.RetrieveResult
    seconds = []
    for _ in range(ROUNDS):
        stub = SoapAdapter.SoapStubAdapter("127.0.0.1", version=newestVersions.GetName("vim"))
        begin = time.perf_counter()
        found = SoapAdapter.SoapResponseDeserializer(stub).Deserialize(io.BytesIO(answer), result_type)
        seconds.append(time.perf_counter() - begin)
    rate = len(answer) / 1e6 / min(seconds)
    print(f"pyvmomi decode: {len(found.objects)} objects, {min(seconds) * 1e3:.0f} ms, {rate:.1f} MB/s (best of {ROUNDS})")


main(sys.argv[1])
